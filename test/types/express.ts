/** Compiled by `npm run typecheck`, never run: what the types promise to authors of Express routes. */
import { expectTypeOf } from 'expect-type'
import express from 'express'
import googleIdTokenByDefault, {
  googleIdToken,
  type Caller,
  type Middleware,
  type Verifier,
} from 'fastify-google-id-token/express'

const app = express()
const auth = googleIdToken({ audience: 'https://user-profiles-abc123-uc.a.run.app' })

app.use(auth)
app.use('/admin', auth.allow(['login@shop-prod.iam.gserviceaccount.com'], { audience: 'x' }))
app.get('/:id', auth.optional({ audience: ['x', 'y'] }), (request, response) => {
  expectTypeOf(request.caller).toEqualTypeOf<Caller | null | undefined>()
  // Express infers parameters from the path; the middleware must not get into its way.
  expectTypeOf(request.params.id).toEqualTypeOf<string>()
  response.send(request.caller?.email)
})
app.get('/', auth.optional(['login@shop-prod.iam.gserviceaccount.com']))
app.get('/', auth.optional([{ email: 'ann@example.com' }], { audience: 'x' }))
app.get<{ id: string }>('/:id', auth, auth.allow([{ email: 'ann@example.com' }]))
app.get('/', auth.allow([], { reportOnly: true }), auth.optional({ reportOnly: true }))

// @ts-expect-error a list is needed
auth.allow()
// @ts-expect-error `optional` is what the other method is for
auth.allow(['login@shop-prod.iam.gserviceaccount.com'], { optional: true })
// @ts-expect-error `optional()` does not take the member `optional` either
auth.optional(['login@shop-prod.iam.gserviceaccount.com'], { optional: true })
// @ts-expect-error the list is in the policy, or the audience beside the list
auth.optional({ audience: 'x' }, { audience: 'y' })
// @ts-expect-error a list is a list
auth.optional('login@shop-prod.iam.gserviceaccount.com')
// @ts-expect-error a guard is not called, but used
auth()
// @ts-expect-error a maker of guards is none
app.use(auth.allow)
// @ts-expect-error allowedCallers
auth.optional({ allowedCaller: ['login@shop-prod.iam.gserviceaccount.com'] })
// @ts-expect-error audience is required
googleIdToken({})

expectTypeOf(auth.optional()).toEqualTypeOf<Middleware>()
expectTypeOf(auth.verifier).toEqualTypeOf<Verifier>()
expectTypeOf(googleIdTokenByDefault).toEqualTypeOf(googleIdToken)
