/** Nobody gets a request past the front end, or past the plugin, inside another one. */
import { isDeepStrictEqual } from 'node:util'
import t, { type Test } from 'tap'
import { bearer, frontOf, stripped } from '../../helpers/cloud-run-front.ts'
import { PAYLOADS, type Expected } from '../../helpers/desync-payloads.ts'
import { partsOf, startRecorder, type Recorder } from '../../helpers/desync-recorder.ts'
import { setEnvironment } from '../../helpers/environment.ts'
import { exchangeWhole, responsesIn } from '../../helpers/whole-responses.ts'

/** Sends every payload on a connection of its own, and asserts what the service has got of it. */
async function replay(t: Test, port: number, { granted }: Recorder): Promise<void> {
  const received = await Promise.all(
    PAYLOADS.map(({ bytes, statuses = [400] }, index) =>
      exchangeWhole({ port, bytes: bytes(partsOf(index)), responses: statuses.length }),
    ),
  )
  for (const [index, payload] of PAYLOADS.entries()) {
    const { target } = partsOf(index)
    const found = {
      statuses: responsesIn(received[index] ?? ''),
      arrived: granted.filter((line) => line.includes(` ${target} `)),
    }
    const accepted = [payload, ...(payload.older ? [payload.older] : [])].map((one) =>
      expectedOf(index, one),
    )
    t.ok(
      accepted.some((one) => isDeepStrictEqual(one, found)),
      payload.name,
      { found, accepted },
    )
  }
}

function expectedOf(index: number, { arrives, statuses = [400] }: Expected): object {
  const parts = partsOf(index)
  const arrived = arrives?.(parts)
  return { statuses, arrived: arrived ? [`${arrived[0]} ${parts.target} ${arrived[1]}`] : [] }
}

t.test('through the front end', async (t) => {
  setEnvironment(t, { K_SERVICE: 'profiles' })
  const service = await startRecorder(t, { trustRemovedSignature: true })
  const front = await frontOf(t, service.url)
  await replay(t, Number(new URL(front.url).port), service)
  t.notMatch(service.heads.map(({ line }) => line).join(), 'smuggled')
  const tokens = new Set(service.heads.map(({ token }) => token))
  t.strictSame([...tokens], [stripped(bearer)], 'every request has lost its signature')
  t.notMatch(service.refused.join(), /HPE_(?!INVALID_EOF_STATE)/, 'what it passes on is HTTP')
})

t.test('without a front end', async (t) => {
  const service = await startRecorder(t, {})
  await replay(t, service.port, service)
  t.strictSame(
    service.granted.filter((line) => line.startsWith('GET /smuggled')),
    [],
  )
})
