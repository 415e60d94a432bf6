import { AUDIENCES, type ServiceName, type Shop } from './start-services.ts'

/** Calls to make by hand, with tokens from the metadata server, as Google documents it. */
export function curlLines({ google, urls, cloudRun }: Shop): string {
  const identity = `${google.url}/computeMetadata/v1/instance/service-accounts/default/identity`
  const token = (service: ServiceName): string =>
    `$(curl -s -H 'Metadata-Flavor: Google' '${identity}?format=full&audience=${AUDIENCES[service]}')`
  return `\
tokens of login, as its metadata server gives them:
  PROFILES_TOKEN=${token('user-profiles')}
  SEARCH_TOKEN=${token('search')}

login may read a profile:
  curl -i -H "Authorization: Bearer $PROFILES_TOKEN" ${urls['user-profiles']}/profiles/7

through Cloud Run's front end with its IAM check, which takes the signature off one of the two:
  curl -i -H "X-Serverless-Authorization: Bearer $PROFILES_TOKEN" -H "Authorization: Bearer $PROFILES_TOKEN" ${cloudRun.on}/profiles/7

login may not search:
  curl -i -H "X-Serverless-Authorization: Bearer $SEARCH_TOKEN" ${urls.search}/items

the optional route answers without a token, too:
  curl -i ${urls['user-profiles']}/hello

login is open, and calls user-profiles for its visitor:
  curl -i ${urls.login}/welcome/7
`
}
