import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { buildExpress } from './express.ts'
import { startLocalIssuer } from './local-issuer.ts'
import { buildLogin } from './login.ts'
import { buildSearch } from './search.ts'
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
  issuerUrl: string
  urls: Record<ServiceName, string>
  setLogLevel: (level: string) => void
  close: () => Promise<void>
}

/** Starts the issuer and the services, each on a free port of the loopback interface. */
export async function startServices(root: Logger): Promise<Shop> {
  const loggers: Logger[] = []
  const loggerOf = (service: string): Logger => {
    const logger = root.child({ service })
    loggers.push(logger)
    return logger
  }
  const issuer = await startLocalIssuer(loggerOf('issuer'))
  const issuerUrl = issuer.listeningOrigin
  const configOf = (
    service: ServiceName,
  ): { audience: string; jwksUri: string; logger: Logger } => ({
    audience: AUDIENCES[service],
    jwksUri: `${issuerUrl}/oauth2/v3/certs`,
    logger: loggerOf(service),
  })

  const userProfiles = await listen(await buildUserProfiles(configOf('user-profiles')))
  const search = await listen(await buildSearch(configOf('search')))
  const express = await listenExpress(buildExpress(configOf('express')))
  const login = await listen(
    buildLogin({
      userProfiles: { url: userProfiles.url, audience: AUDIENCES['user-profiles'] },
      idToken: (audience) => fetchToken(issuerUrl, { email: emailOf('login'), audience }),
      logger: loggerOf('login'),
    }),
  )
  return {
    issuerUrl,
    urls: {
      login: login.url,
      'user-profiles': userProfiles.url,
      search: search.url,
      express: express.url,
    },
    setLogLevel: (level) => {
      for (const logger of loggers) logger.level = level
    },
    close: async () => {
      // Callers before those whom they call.
      await login.close()
      await Promise.all([userProfiles.close(), search.close(), express.close()])
      await issuer.close()
    },
  }
}

/** The service account of a service of the shop. */
export function emailOf(service: string): string {
  return `${service}@shop-prod.iam.gserviceaccount.com`
}

/** A token of the local issuer. */
export async function fetchToken(
  issuerUrl: string,
  query: Record<string, string>,
): Promise<string> {
  const response = await fetch(`${issuerUrl}/token?${new URLSearchParams(query).toString()}`)
  if (!response.ok) throw new Error(`The local issuer answered ${response.status}`)
  return response.text()
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
