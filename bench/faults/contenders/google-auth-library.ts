import { OAuth2Client } from 'google-auth-library'
import { AUDIENCE, BY_MACHINE_TIME, PEM_BY_KID, type Contender } from '../contender.ts'

export const googleAuthLibrary: Contender = {
  name: 'google-auth-library',
  packages: ['google-auth-library'],
  setup: 'defaults; the endpoint says `max-age=1` where keys have to expire',
  keys: PEM_BY_KID,
  create: (uri) => {
    const client = new OAuth2Client({ endpoints: { oauth2FederatedSignonPemCertsUrl: uri } })
    return {
      verify: (idToken) => client.verifyIdToken({ idToken, audience: AUDIENCE }),
      ...BY_MACHINE_TIME,
    }
  },
}
