import { PEM_BY_KID } from '../faults/contender.ts'
import { startKeyServer, type KeyServer } from '../faults/key-server.ts'

/** Where every contender gets the keys from, in the form that it takes. */
export interface KeyEndpoints {
  readonly jwksUri: string
  readonly pemUri: string
  readonly close: () => Promise<void>
}

/** Starts both. */
export async function startKeyEndpoints(jwks: KeyServer['jwks']): Promise<KeyEndpoints> {
  const jwkSet = await startKeyServer(jwks)
  const pem = await startKeyServer(jwks, PEM_BY_KID.write)
  return {
    jwksUri: jwkSet.uri,
    pemUri: pem.uri,
    close: async () => {
      await Promise.all([jwkSet.close(), pem.close()])
    },
  }
}
