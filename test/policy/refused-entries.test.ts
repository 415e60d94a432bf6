/** Why an entry of a list is refused, to the word, and which accounts are service agents. */
import t from 'tap'
import { isServiceAgent, parseAllowedCallers } from '../../src/policy/allowed-callers.ts'

/** What stands after the list of accepted forms. */
function reasonFor(entry: unknown): string {
  try {
    parseAllowedCallers('allowedCallers', [entry])
  } catch (error) {
    const [, reason] = / or \{ email \} for a person(.*)$/s.exec((error as Error).message) ?? []
    return reason ?? 'another message'
  }
  return 'accepted'
}

t.test('an entry is refused with the reason that fits it, or with none', (t) => {
  for (const [entry, reason] of [
    ['user:dana@example.com', ". For a person write { email: 'dana@example.com' }"],
    ['user:', ". For a person write { email: '' }"],
    ['dana@example.com.user:', ''],
    ['deleted:serviceAccount:a@b.iam.gserviceaccount.com', '. A deleted account cannot call'],
    ['deleted:', '. A deleted account cannot call'],
    ['a deleted:', ''],
    ['Login@shop-prod.iam.gserviceaccount.com', '. Emails of service accounts are lower case'],
    ['a@B:c', '. Emails of service accounts are lower case'],
    ['Group:team', ''],
    ['G:team', ''],
    ['serviceAccount:Login@shop-prod.iam.gserviceaccount.com', ''],
    ['group:team@example.com', ''],
    ['nobody', ''],
    [{ email: 'Dana@example.com' }, '. An email is lower case'],
    [{ email: 7 }, ''],
    [{ email: ['dana@example.com'] }, ''],
    [{ mail: 'dana@example.com' }, ''],
    [null, ''],
    [true, ''],
    [7, '. Write a unique id as a string: as a number it loses digits'],
    [
      Object.defineProperty({}, 'email', { value: 'dana@example.com' }),
      '. This object has a member that is not enumerable, email',
    ],
    [
      { [Symbol('x')]: 1, email: 'dana@example.com' },
      '. This object has a member named by a symbol, Symbol(x)',
    ],
  ] as const) {
    t.equal(reasonFor(entry), reason, JSON.stringify(entry))
  }
  t.end()
})

t.test('a service agent is recognised by its name or by its project', (t) => {
  for (const email of [
    'service-739419398126@shop-prod.iam.gserviceaccount.com',
    'service739419398126@shop-prod.iam.gserviceaccount.com',
    'project-739419398126@shop-prod.iam.gserviceaccount.com',
    'bq-739419398126@bigquery-encryption.iam.gserviceaccount.com',
    'p739419398126-abc@gcp-sa-cloud-sql.iam.gserviceaccount.com',
    'p739419398126-abc@shop-prod.iam.gserviceaccount.com',
    'any@gcp-sa-pubsub.iam.gserviceaccount.com',
    'chat@system.gserviceaccount.com',
  ]) {
    t.equal(isServiceAgent(email), true, email)
  }
  for (const email of [
    'login@shop-prod.iam.gserviceaccount.com',
    'service-1x@shop-prod.iam.gserviceaccount.com',
    'my-service-739419398126@shop-prod.iam.gserviceaccount.com',
    'gcp-sa-pubsub@shop-prod.iam.gserviceaccount.com',
    '@system.gserviceaccount.com.evil.com',
  ]) {
    t.equal(isServiceAgent(email), false, email)
  }
  t.end()
})

t.test('a project wildcard matches no service agent, whatever the spelling of its name', (t) => {
  const { includes } = parseAllowedCallers('list', ['*@shop-prod.iam.gserviceaccount.com'])
  for (const [name, isMatched] of [
    ['service-739419398126', false],
    ['service739419398126', false],
    ['p739419398126-abc', false],
    ['service-739419398126x', true],
    ['a-service-739419398126', true],
  ] as const) {
    t.equal(includes(`${name}@shop-prod.iam.gserviceaccount.com`, ''), isMatched, name)
  }
  t.end()
})
