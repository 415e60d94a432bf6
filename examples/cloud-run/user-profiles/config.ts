/** What the environment says about user-profiles. */
export interface UserProfilesConfig {
  /** The project of this service and of its callers. */
  project: string
  /** What callers put into their tokens: the custom audience of this service. */
  audience: string
  /** Left out in production: the default is Google's keys. */
  jwksUri: string | undefined
  /** Left out in production: none. */
  allowHttpHosts: string[]
  port: number
}

/** @throws Error naming the variable that is missing */
export function configFrom(env: Readonly<Record<string, string | undefined>>): UserProfilesConfig {
  const required = (name: string): string => {
    const value = env[name]
    if (!value) throw new Error(`The environment variable ${name} is missing`)
    return value
  }
  return {
    project: required('GOOGLE_CLOUD_PROJECT'),
    audience: required('AUDIENCE'),
    jwksUri: env.JWKS_URI,
    allowHttpHosts: env.ALLOW_HTTP_HOSTS?.split(',') ?? [],
    port: Number(env.PORT ?? 8080),
  }
}
