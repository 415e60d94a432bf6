import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import {
  startCloudRunFrontend,
  startGoogleEmulator,
  type CloudRunFrontend,
  type GoogleEmulator,
} from 'fastify-google-id-token/testing'
import type { Logger } from 'pino'
import { buildExpress } from './express.ts'
import { buildLogin } from './login.ts'
import { buildSearch } from './search.ts'
import { createUserKeys, signUser } from './two-identities/user-keys.ts'
import { buildProfiles } from './two-identities/profiles.ts'
import { buildUserProfiles } from './user-profiles.ts'

export type ServiceName = 'login' | 'user-profiles' | 'search' | 'express'

/** What each service is called in tokens: in production, its URL on Cloud Run. */
export const AUDIENCES: Record<ServiceName, string> = {
  login: 'https://login-abc123-uc.a.run.app',
  'user-profiles': 'https://user-profiles-abc123-uc.a.run.app',
  search: 'https://search-abc123-uc.a.run.app',
  express: 'https://express-abc123-uc.a.run.app',
}

/** The services, listening. */
export interface Shop {
  google: GoogleEmulator
  urls: Record<ServiceName, string>
  /** user-profiles through Cloud Run's front end, with the IAM check on and off. */
  cloudRun: Record<'on' | 'off', string>
  /** A service that wants a user's JWT in Authorization as well, in the same places. */
  twoIdentities: Record<'on' | 'off', string>
  /** The JWT of a user. */
  userToken: string
  setLogLevel: (level: string) => void
  close: () => Promise<void>
}

/** Starts Google's emulator and the services, each on a free port of the loopback interface. */
export async function startServices(root: Logger): Promise<Shop> {
  const loggers: Logger[] = []
  const loggerOf = (service: ServiceName): Logger => {
    const logger = root.child({ service })
    loggers.push(logger)
    return logger
  }
  // On Cloud Run each service has its own metadata server. Here login alone needs one.
  const google = await startGoogleEmulator({ serviceAccount: emailOf('login') })
  Object.assign(process.env, google.env)
  const { jwksUri } = google
  const configOf = (service: ServiceName) => {
    return { audience: AUDIENCES[service], jwksUri, logger: loggerOf(service) }
  }

  const profilesConfig = { ...configOf('user-profiles'), refusalLog: 'all' } as const
  const userProfiles = await listen(await buildUserProfiles(profilesConfig))
  const search = await listen(await buildSearch(configOf('search')))
  const express = await listenExpress(buildExpress(configOf('express')))

  const { on, off } = await startFrontEnds(userProfiles.url, jwksUri)
  const twoIdentities = await startTwoIdentities(jwksUri)
  const login = await listen(
    await buildLogin({
      userProfiles: { url: on.url, audience: AUDIENCES['user-profiles'] },
      logger: loggerOf('login'),
    }),
  )
  return {
    google,
    urls: {
      login: login.url,
      'user-profiles': userProfiles.url,
      search: search.url,
      express: express.url,
    },
    cloudRun: { on: on.url, off: off.url },
    twoIdentities: twoIdentities.urls,
    userToken: twoIdentities.userToken,
    setLogLevel: (level) => {
      for (const logger of loggers) logger.level = level
    },
    close: async () => {
      // Callers before those whom they call.
      await login.close()
      await Promise.all([on.close(), off.close()])
      for (const one of [userProfiles, search, express, twoIdentities]) await one.close()
      await google.close()
    },
  }
}

/** A service that verifies its caller and a user, behind front ends of its own. */
async function startTwoIdentities(jwksUri: string): Promise<TwoIdentities> {
  const userKeys = createUserKeys()
  const audience = AUDIENCES['user-profiles']
  const { url, close } = await listen(
    await buildProfiles({ audience, jwksUri, userKey: userKeys.publicKey }),
  )
  const { on, off } = await startFrontEnds(url, jwksUri)
  return {
    urls: { on: on.url, off: off.url },
    userToken: await signUser(userKeys, 'user-7'),
    close: async () => {
      await Promise.all([on.close(), off.close()])
      await close()
    },
  }
}

interface TwoIdentities {
  urls: Record<'on' | 'off', string>
  userToken: string
  close: () => Promise<void>
}

/** Cloud Run's front ends before a service: one asks IAM who may invoke it, one lets all in. */
async function startFrontEnds(
  target: string,
  jwksUri: string,
): Promise<Record<'on' | 'off', CloudRunFrontend>> {
  const audience = AUDIENCES['user-profiles']
  const invokers = [
    `serviceAccount:${emailOf('login')}`,
    `serviceAccount:${emailOf('events')}`,
    'user:dana@example.com',
  ]
  return {
    on: await startCloudRunFrontend({ target, audience, invokers, jwksUri }),
    off: await startCloudRunFrontend({ target, allowUnauthenticated: true }),
  }
}

/** The service account of a service of the shop. */
export function emailOf(service: string): string {
  return `${service}@shop-prod.iam.gserviceaccount.com`
}

interface Listening {
  url: string
  close: () => Promise<void>
}

async function listen(app: FastifyInstance): Promise<Listening> {
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  return { url, close: () => app.close() }
}

async function listenExpress({ app, close }: ReturnType<typeof buildExpress>): Promise<Listening> {
  const server = createServer(app).listen(0, '127.0.0.1').on('close', close)
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.close()
      await once(server, 'close')
    },
  }
}
