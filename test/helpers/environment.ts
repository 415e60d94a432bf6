import type { Test } from 'tap'

/** Sets variables of this process's environment until the end of the test. */
export function setEnvironment(t: Test, env: Readonly<Record<string, string>>): void {
  const before = { ...process.env }
  Object.assign(process.env, env)
  t.teardown(() => {
    for (const name of Object.keys(env)) Reflect.deleteProperty(process.env, name)
    Object.assign(process.env, before)
  })
}
