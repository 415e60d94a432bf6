import { AUDIENCES, emailOf, type ServiceName, type Shop } from './start-services.ts'

/** Calls to make by hand: each fetches a fresh token for itself. */
export function curlLines({ issuerUrl, urls }: Shop): string {
  const bearer = (caller: string, service: ServiceName): string =>
    `Bearer $(curl -s '${issuerUrl}/token?email=${emailOf(caller)}&audience=${AUDIENCES[service]}')`
  return `\
login may read a profile:
  curl -i -H "Authorization: ${bearer('login', 'user-profiles')}" ${urls['user-profiles']}/profiles/7

login may not search:
  curl -i -H "X-Serverless-Authorization: ${bearer('login', 'search')}" ${urls.search}/items

the optional route answers without a token, too:
  curl -i ${urls['user-profiles']}/hello

login is open, and calls user-profiles for its visitor:
  curl -i ${urls.login}/welcome/7
`
}
