/** Compiled by `npm run typecheck`, never run: what the types promise to authors of Fastify routes. */
import { expectTypeOf } from 'expect-type'
import Fastify, {
  type FastifyReply,
  type FastifyRequest,
  type FastifyTypeProvider,
  type preHandlerAsyncHookHandler,
  type preHandlerHookHandler,
  type RouteGenericInterface,
  type RouteHandlerMethod,
} from 'fastify'
import googleIdToken, {
  createVerifier,
  type AllowedCaller,
  type Caller,
  type RouteAccess,
  type RoutePolicy,
  type Verifier,
  type VerifierOptions,
} from 'fastify-google-id-token'

const options: VerifierOptions = { audience: 'https://user-profiles-abc123-uc.a.run.app' }
const list: AllowedCaller[] = ['login@shop-prod.iam.gserviceaccount.com']
const app = Fastify()
await app.register(googleIdToken, options)
declare const either: boolean
declare const policy: RoutePolicy

// A guarded route has a caller: no `?.`.
app.get('/', async (request) => Promise.resolve(request.caller.email))
app.get('/', (request) => {
  expectTypeOf(request.caller).toEqualTypeOf<Caller>()
})
app.get('/', { config: {} }, (request) => {
  expectTypeOf(request.caller).toEqualTypeOf<Caller>()
})
app.get('/', { config: { idToken: undefined } }, (request) => {
  expectTypeOf(request.caller).toEqualTypeOf<Caller>()
})
app.get('/', { config: { idToken: {} } }, (request) => {
  expectTypeOf(request.caller).toEqualTypeOf<Caller>()
})
app.get('/', { config: { idToken: { allowedCallers: list, audience: 'x' } } }, (request) => {
  expectTypeOf(request.caller).toEqualTypeOf<Caller>()
})
app.get('/', { config: { idToken: { optional: false } } }, (request) => {
  expectTypeOf(request.caller).toEqualTypeOf<Caller>()
})

// An optional route may lack one.
app.get('/', { config: { idToken: { optional: true } } }, (request) => {
  expectTypeOf(request.caller).toEqualTypeOf<Caller | null>()
  // @ts-expect-error there may be none
  return request.caller.email
})
app.route({
  method: ['GET', 'POST'],
  url: '/',
  config: { idToken: { optional: true, allowedCallers: list } },
  handler: (request) => {
    expectTypeOf(request.caller).toEqualTypeOf<Caller | null>()
  },
})

// So may one whose policy is only known to be a policy, or is decided at run time.
app.get('/', { config: { idToken: { optional: either } } }, (request) => {
  expectTypeOf(request.caller).toEqualTypeOf<Caller | null>()
})
app.get('/', { config: { idToken: policy } }, (request) => {
  expectTypeOf(request.caller).toEqualTypeOf<Caller | null>()
})
app.get('/', { config: { idToken: either ? false : { allowedCallers: list } } }, (request) => {
  expectTypeOf(request.caller).toEqualTypeOf<Caller | null>()
})
const sharedOptions = { config: { idToken: { optional: true } } }
app.get('/', sharedOptions, (request) => {
  expectTypeOf(request.caller).toEqualTypeOf<Caller | null>()
})

// So may one where refused requests are let in.
app.get('/', { config: { idToken: { reportOnly: true } } }, (request) => {
  expectTypeOf(request.caller).toEqualTypeOf<Caller | null>()
})
app.get('/', { config: { idToken: { reportOnly: either } } }, (request) => {
  expectTypeOf(request.caller).toEqualTypeOf<Caller | null>()
})
app.get('/', { config: { idToken: { reportOnly: false, allowedCallers: list } } }, (request) => {
  expectTypeOf(request.caller).toEqualTypeOf<Caller>()
})

// An open route has none.
app.get('/', { config: { idToken: false } }, (request) => {
  expectTypeOf(request.caller).toEqualTypeOf<null>()
})
app.get('/', { config: { idToken: false, other: 'plugin' } }, (request) => {
  expectTypeOf(request.caller).toEqualTypeOf<null>()
})

// Generics of one's own switch inference off, for the config as well: the config is the second.
app.get<{ Params: { id: string } }>('/:id', (request) => {
  expectTypeOf(request.params.id).toEqualTypeOf<string>()
  expectTypeOf(request.caller).toEqualTypeOf<Caller>()
})
app.get<{ Params: { id: string } }, { idToken: { optional: true } }>(
  '/:id',
  { config: { idToken: { optional: true } } },
  (request) => {
    expectTypeOf(request.params.id).toEqualTypeOf<string>()
    expectTypeOf(request.caller).toEqualTypeOf<Caller | null>()
  },
)
app.get<{ Params: { id: string } }, { idToken: { optional: true } }>(
  '/:id',
  // @ts-expect-error the generic and the config must agree
  { config: { idToken: { optional: false } } },
  () => null,
)
app.get<{ Params: { id: string } }>(
  '/:id',
  { config: { idToken: { optional: true } } },
  (request) => {
    // Not a promise, but what TypeScript makes of it: with one generic, the config is not looked at.
    expectTypeOf(request.caller).toEqualTypeOf<Caller>()
  },
)

// Hooks and helpers that know nothing of the route's config fit every route.
declare const hook: preHandlerHookHandler
declare const asyncHook: preHandlerAsyncHookHandler
declare const handler: RouteHandlerMethod
async function checkedElsewhere(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  expectTypeOf(request.caller).toEqualTypeOf<Caller>()
  await reply.header('x-caller', request.caller.subject)
}
function describe(request: FastifyRequest): string {
  return request.id
}
const preHandler = [hook, asyncHook, checkedElsewhere]
app.addHook('preHandler', checkedElsewhere)
app.get('/', { preHandler }, (request) => {
  expectTypeOf(request.caller).toEqualTypeOf<Caller>()
  return describe(request)
})
app.get('/', { config: { idToken: { optional: true } } }, handler)
app.get('/', { config: { idToken: { optional: true } } }, (request) => describe(request))
app.get('/', { config: { idToken: { optional: true } }, preHandler: hook }, handler)
app.get('/', { config: { idToken: false }, preHandler: checkedElsewhere }, handler)
app.get('/', { config: { idToken: false }, preHandler }, (request) => describe(request))

// Such a hook on a route switches inference off too, and the second generic brings it back.
app.get<RouteGenericInterface, { idToken: { optional: true } }>(
  '/',
  { config: { idToken: { optional: true } }, preHandler },
  (request) => {
    expectTypeOf(request.caller).toEqualTypeOf<Caller | null>()
  },
)
app.get('/', { config: { idToken: { optional: true } }, preHandler }, (request) => {
  // As above: Fastify's own types make `unknown` of the config here.
  expectTypeOf(request.caller).toEqualTypeOf<Caller>()
})

// A type provider changes nothing about the caller.
interface ConstProvider extends FastifyTypeProvider {
  validator: this['schema'] extends { const: infer Value } ? Value : unknown
}
app
  .withTypeProvider<ConstProvider>()
  .get(
    '/',
    { schema: { querystring: { const: 'q' } }, config: { idToken: { optional: true } } },
    (request) => {
      expectTypeOf(request.query).toEqualTypeOf<'q'>()
      expectTypeOf(request.caller).toEqualTypeOf<Caller | null>()
    },
  )
  .get('/', { schema: { querystring: { const: 'q' } } }, (request) => {
    expectTypeOf(request.query).toEqualTypeOf<'q'>()
    expectTypeOf(request.caller).toEqualTypeOf<Caller>()
  })

// What is no policy is an error in the editor already.
// @ts-expect-error `true` is neither open nor a policy
app.get('/', { config: { idToken: true } }, () => null)
// @ts-expect-error nor is `null`
app.get('/', { config: { idToken: null } }, () => null)
// @ts-expect-error nor is a string
app.get('/', { config: { idToken: 'login@shop-prod.iam.gserviceaccount.com' } }, () => null)
// @ts-expect-error a list is a list
app.get('/', { config: { idToken: { allowedCallers: 'login' } } }, () => null)
// A misspelt key is one too, wherever TypeScript does not infer the route's config from it; Fastify's
// shorthand methods do, and there the start-up tells.
// @ts-expect-error allowedCallers
app.get('/', { config: { idToken: { allowedCaller: list } satisfies RoutePolicy } }, () => null)
// @ts-expect-error allowedCallers
app.get<{ Body: string }>('/', { config: { idToken: { allowedCaller: list } } }, () => null)
// @ts-expect-error allowedCallers
await app.register(googleIdToken, { ...options, allowedCaller: list })

expectTypeOf(app.idTokenVerifier).toEqualTypeOf<Verifier>()
expectTypeOf(app.listAllowedCallers()).toEqualTypeOf<RouteAccess[]>()
expectTypeOf(app.listAllowedCallers()[0]?.access).toEqualTypeOf<
  'callers' | 'optional' | 'open' | undefined
>()
expectTypeOf(createVerifier(options)).toEqualTypeOf<Verifier>()
expectTypeOf(createVerifier(options).verifyAnyCallerSync('token').email).toEqualTypeOf<
  string | undefined
>()
