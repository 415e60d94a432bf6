import { createVerifier } from '../../../src/index.ts'
import { AUDIENCE, JWK_SET, nothing, type Contender } from '../contender.ts'

/** Its time is what the run says that it is. */
export const thisLibrary: Contender = {
  name: 'this library',
  packages: ['fastify-google-id-token'],
  setup: 'defaults; the `clock` option takes it past the life of its keys',
  keys: JWK_SET,
  create: (jwksUri) => {
    let ahead = 0
    const { verifyAnyCaller, close } = createVerifier({
      audience: AUDIENCE,
      jwksUri,
      clock: () => new Date(Date.now() + ahead),
      logger: { warn: nothing },
    })
    return {
      verify: verifyAnyCaller,
      expire: () => {
        ahead += 600_000
        return Promise.resolve()
      },
      rest: () => {
        ahead += 31_000
      },
      close,
    }
  },
}
