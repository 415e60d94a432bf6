/** What the environment says about search. */
export interface SearchConfig {
  project: string
  userProfiles: {
    url: string
    /** The custom audience of user-profiles. */
    audience: string
    /** Left out in production: none. */
    allowHttpHosts: string[]
  }
  port: number
}

/** @throws Error naming the variable that is missing */
export function configFrom(env: Readonly<Record<string, string | undefined>>): SearchConfig {
  const required = (name: string): string => {
    const value = env[name]
    if (!value) throw new Error(`The environment variable ${name} is missing`)
    return value
  }
  return {
    project: required('GOOGLE_CLOUD_PROJECT'),
    userProfiles: {
      url: required('USER_PROFILES_URL'),
      audience: required('USER_PROFILES_AUDIENCE'),
      allowHttpHosts: env.ALLOW_HTTP_HOSTS?.split(',') ?? [],
    },
    port: Number(env.PORT ?? 8080),
  }
}
