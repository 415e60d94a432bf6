import { inspect } from 'node:util'
import t from 'tap'
import { parseAllowedCallers } from '../../src/policy/allowed-callers.ts'

const accept = (...entries: unknown[]) => parseAllowedCallers('allowedCallers', entries)
const SUBJECT = '108612345678901234567'
const NOBODY = '999999999999999999999'

t.test('each accepted form matches what it names, and nothing near it', (t) => {
  const cases: [entry: unknown, matches: string[], nearMisses: string[]][] = [
    [
      'login@shop-prod.iam.gserviceaccount.com',
      ['login@shop-prod.iam.gserviceaccount.com'],
      [
        'login@shop-prod.iam.gserviceaccount.com.evil.com',
        'xlogin@shop-prod.iam.gserviceaccount.com',
        'login@shop-prod2.iam.gserviceaccount.com',
        'login@shop-prodXiam.gserviceaccount.com',
        'Login@shop-prod.iam.gserviceaccount.com',
        'login@shop-prod.iam.gserviceaccount.com\n',
        'serviceAccount:login@shop-prod.iam.gserviceaccount.com',
        '',
      ],
    ],
    [
      'serviceAccount:login@shop-prod.iam.gserviceaccount.com',
      ['login@shop-prod.iam.gserviceaccount.com'],
      ['serviceAccount:login@shop-prod.iam.gserviceaccount.com', 'login@evil.com'],
    ],
    [
      'login@shop-prod.example.com.iam.gserviceaccount.com',
      ['login@shop-prod.example.com.iam.gserviceaccount.com'],
      ['login@shop-prod.iam.gserviceaccount.com', 'login@example.com'],
    ],
    [
      '739419398126-compute@developer.gserviceaccount.com',
      ['739419398126-compute@developer.gserviceaccount.com'],
      ['39419398126-compute@developer.gserviceaccount.com'],
    ],
    [
      'shop-prod@appspot.gserviceaccount.com',
      ['shop-prod@appspot.gserviceaccount.com'],
      ['shop-prod-2@appspot.gserviceaccount.com'],
    ],
    [
      'example.com:shop-prod@appspot.gserviceaccount.com',
      ['example.com:shop-prod@appspot.gserviceaccount.com'],
      ['shop-prod@appspot.gserviceaccount.com'],
    ],
    [
      '739419398126@cloudservices.gserviceaccount.com',
      ['739419398126@cloudservices.gserviceaccount.com'],
      ['739419398127@cloudservices.gserviceaccount.com'],
    ],
    [
      '739419398126@cloudbuild.gserviceaccount.com',
      ['739419398126@cloudbuild.gserviceaccount.com'],
      ['739419398126@cloudservices.gserviceaccount.com'],
    ],
    [
      'chat@system.gserviceaccount.com',
      ['chat@system.gserviceaccount.com'],
      ['other@system.gserviceaccount.com'],
    ],
    [
      'service-739419398126@gcp-sa-pubsub.iam.gserviceaccount.com',
      ['service-739419398126@gcp-sa-pubsub.iam.gserviceaccount.com'],
      ['service-739419398127@gcp-sa-pubsub.iam.gserviceaccount.com'],
    ],
    [
      '*@shop-prod.iam.gserviceaccount.com',
      ['login@shop-prod.iam.gserviceaccount.com', 'a@shop-prod.iam.gserviceaccount.com'],
      [
        'x@evil-project.iam.gserviceaccount.com',
        'x@evil-shop-prod.iam.gserviceaccount.com',
        'x@shop-prod.evil.iam.gserviceaccount.com',
        'x@shop-prod.iam.gserviceaccount.com.evil.com',
        'x@shop-prod.iam.gserviceaccount.com@evil.com',
        'x@evil.com@shop-prod.iam.gserviceaccount.com',
        'x@shop-prodxiam.gserviceaccount.com',
        'shop-prod.iam.gserviceaccount.co',
        'service-739419398126@shop-prod.iam.gserviceaccount.com',
        'shop-prod@appspot.gserviceaccount.com',
        'login@SHOP-PROD.iam.gserviceaccount.com',
      ],
    ],
    [
      { email: 'dana@example.com' },
      ['dana@example.com'],
      ['ana@example.com', 'dana@example.com.evil'],
    ],
    [
      { email: 'o.hara+x@sub.example.com' },
      ['o.hara+x@sub.example.com'],
      ['ohara@sub.example.com'],
    ],
    [
      { email: 'login@shop-prod.iam.gserviceaccount.com' },
      ['login@shop-prod.iam.gserviceaccount.com'],
      [],
    ],
  ]
  for (const [entry, matches, nearMisses] of cases) {
    const list = accept(entry)
    for (const email of matches) t.ok(list.includes(email, NOBODY), `${inspect(entry)}: ${email}`)
    for (const email of nearMisses) {
      t.notOk(list.includes(email, NOBODY), `not ${inspect(entry)}: ${email}`)
    }
    t.notOk(list.includes(undefined, NOBODY))
  }
  t.end()
})

t.test('a unique id matches the sub and nothing else', (t) => {
  const list = accept(SUBJECT)
  t.ok(list.includes(undefined, SUBJECT))
  t.ok(list.includes('any@example.com', SUBJECT))
  t.notOk(list.includes(SUBJECT, NOBODY))
  t.notOk(list.includes(undefined, `${SUBJECT}0`))
  t.notOk(list.includes(undefined, SUBJECT.slice(1)))
  for (const id of ['1'.repeat(15), '1'.repeat(25)]) t.ok(accept(id).includes(undefined, id))
  t.end()
})

t.test('an email in a list does not match a sub', (t) => {
  const email = 'login@shop-prod.iam.gserviceaccount.com'
  t.notOk(accept(email).includes(undefined, email))
  t.notOk(accept({ email: 'dana@example.com' }).includes(undefined, 'dana@example.com'))
  t.end()
})

t.test('every form that could let in a stranger is refused, with the reason', (t) => {
  const cases: [entry: unknown, reason?: RegExp][] = [
    ['*', /would let anyone in.*idToken: false/],
    ['allUsers', /would let anyone in/],
    ['allAuthenticatedUsers', /would let anyone in/],
    ['*@gserviceaccount.com', /Any Google customer/],
    ['*@iam.gserviceaccount.com', /Any Google customer/],
    ['*@.iam.gserviceaccount.com', /Any Google customer/],
    ['*@*.iam.gserviceaccount.com', /Any Google customer/],
    ['*@developer.gserviceaccount.com', /Any Google customer/],
    ['*@appspot.gserviceaccount.com', /Any Google customer/],
    ['*@cloudservices.gserviceaccount.com', /Any Google customer/],
    ['*@cloudbuild.gserviceaccount.com', /Any Google customer/],
    ['*@gcp-sa-pubsub.iam.gserviceaccount.com', /Any Google customer/],
    ['*@example.com', /Any Google customer/],
    ['*login@shop-prod.iam.gserviceaccount.com'],
    ['lo*@shop-prod.iam.gserviceaccount.com'],
    ['login@*.iam.gserviceaccount.com'],
    ['Login@shop-prod.iam.gserviceaccount.com', /lower case/],
    ['login@SHOP-PROD.iam.gserviceaccount.com', /lower case/],
    ['*@Shop-prod.iam.gserviceaccount.com', /lower case/],
    [
      'deleted:serviceAccount:a@shop-prod.iam.gserviceaccount.com?uid=108612345678901234567',
      /deleted/i,
    ],
    ['user:dana@example.com', /For a person write \{ email: 'dana@example\.com' \}/],
    ['dana@example.com', /For a person write \{ email: 'dana@example\.com' \}/],
    ['user:dana@example.com'],
    ['group:team@example.com'],
    ['domain:example.com'],
    ['serviceAccount:dana@example.com'],
    ['serviceAccount:serviceAccount:login@shop-prod.iam.gserviceaccount.com'],
    ['serviceAccount:*@shop-prod.iam.gserviceaccount.com'],
    ['serviceAccount:108612345678901234567'],
    ['serviceaccount:login@shop-prod.iam.gserviceaccount.com'],
    ['serviceAccount:shop-prod.svc.id.goog[shop/login]'],
    [
      'principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/subject/s',
    ],
    ['principalSet://goog/public:all'],
    ['projectOwner:shop-prod'],
    [' login@shop-prod.iam.gserviceaccount.com'],
    ['login@shop-prod.iam.gserviceaccount.com '],
    ['login@shop-prod.iam.gserviceaccount.com\n'],
    ['login@shop-prod.iam.gserviceaccount.com,signup@shop-prod.iam.gserviceaccount.com'],
    ['login@shop-prod.iam.gserviceaccount.com.evil.com'],
    ['@shop-prod.iam.gserviceaccount.com'],
    ['shop-prod.iam.gserviceaccount.com'],
    ['1'.repeat(14)],
    ['1'.repeat(26)],
    [''],
    [{}],
    [{ email: 'dana@example.com', verified: false }],
    [{ mail: 'dana@example.com' }],
    [{ email: '*@example.com' }],
    [{ email: 'Dana@example.com' }, /An email is lower case/],
    [{ email: 'dana' }],
    [{ email: 'dana@example.com@evil.com' }],
    [{ email: 7 }],
    [['dana@example.com']],
    [null],
    [undefined],
    [7],
    [108612345678901],
    [true],
  ]
  for (const [entry, reason = /accepted: a service account email/] of cases) {
    const message = new RegExp(
      `^Option allowedCallers\\[1\\] is .*${reason.source}`,
      reason.flags + 's',
    )
    t.throws(
      () => accept(SUBJECT, entry),
      { name: 'TypeError', code: 'ID_TOKEN_OPTION_INVALID', message },
      inspect(entry),
    )
  }
  t.end()
})

t.test('a list is a list, and not an empty one', (t) => {
  for (const value of [
    [],
    undefined,
    null,
    'login@shop-prod.iam.gserviceaccount.com',
    {},
    new Set(),
  ]) {
    t.throws(() => parseAllowedCallers('allowedCallers', value), { message: /a non-empty list/ })
  }
  t.end()
})

t.test('the list is kept as it was configured, frozen, and copied', (t) => {
  const person = { email: 'dana@example.com' }
  const entries = [SUBJECT, person]
  const list = parseAllowedCallers('allowedCallers', entries)
  person.email = 'eve@example.com'
  entries[0] = NOBODY
  t.strictSame(list.configured, [SUBJECT, { email: 'dana@example.com' }])
  t.ok(Object.isFrozen(list.configured) && Object.isFrozen(list.configured[1]))
  t.notOk(list.includes(undefined, NOBODY))
  t.notOk(list.includes('eve@example.com', SUBJECT.slice(1)))
  t.end()
})

t.test('a log shows a short list whole and a long one by its length', (t) => {
  const ids = (count: number) => Array.from({ length: count }, (_, i) => String(10 ** 15 + i))
  t.strictSame(accept(...ids(20)).summary, ids(20))
  t.equal(accept(...ids(21)).summary, '21 callers')
  t.end()
})
