import { UsageError, type Io } from '../io.ts'
import type { ImpliedInvokers } from './invokers.ts'
import { inputName, jsonOf } from '../read-input.ts'

/** Roles that are for calling and for nothing else (https://cloud.google.com/run/docs/reference/iam/roles). */
const INVOKER_ROLES = ['roles/run.invoker', 'roles/run.servicesInvoker']

/** Members that are not one account: everyone. */
const EVERYONE = ['allUsers', 'allAuthenticatedUsers']

/** A member that may call, as the policy has it. */
interface Invoker {
  readonly member: string
  readonly conditional: boolean
}

/** How a real policy differs from the lists. */
export interface PolicyDifferences {
  /** `allUsers`, `allAuthenticatedUsers`: the IAM check keeps out nobody, or hardly anybody. */
  readonly everyone: readonly string[]
  /** May call by IAM, and is in no list. */
  readonly onlyInPolicy: readonly string[]
  /** Is in a list, and may not call by IAM. */
  readonly onlyInLists: readonly string[]
  /** Bound only under a condition, which is not evaluated here. */
  readonly conditional: readonly string[]
}

const EXPECTED = 'the output of gcloud run services get-iam-policy SERVICE --format=json'

/**
 * Reads the policy of a service.
 *
 * @throws UsageError
 */
export async function invokersIn(io: Io, file: string): Promise<readonly Invoker[]> {
  const policy = await jsonOf(io, file, EXPECTED)
  // A policy without any binding has only an etag.
  const { bindings = [], etag } = Object(policy) as { bindings?: unknown; etag?: unknown }
  const known = Array.isArray(bindings) && (bindings.length > 0 || typeof etag === 'string')
  if (!known) throw new UsageError(`${inputName(file)} holds no IAM policy; accepted: ${EXPECTED}`)
  return bindings.flatMap((binding: unknown): Invoker[] => {
    const { role, members, condition } = Object(binding) as Record<string, unknown>
    if (!INVOKER_ROLES.includes(String(role)) || !Array.isArray(members)) return []
    return members.map((member) => ({
      member: String(member),
      conditional: condition !== undefined && condition !== null,
    }))
  })
}

/** Compares the policy of a service with the members that the lists need. */
export function comparePolicy(
  implied: ImpliedInvokers,
  invokers: readonly Invoker[],
): PolicyDifferences {
  const bound = [...new Set(invokers.map(({ member }) => member))].sort()
  const always = new Set(invokers.flatMap((one) => (one.conditional ? [] : [one.member])))
  const isListed = (member: string): boolean =>
    implied.members.includes(member) ||
    implied.wholeProjects.some((project) => isOfProject(member, project))
  return {
    everyone: EVERYONE.filter((member) => bound.includes(member)),
    onlyInPolicy: bound.filter((member) => !EVERYONE.includes(member) && !isListed(member)),
    onlyInLists: implied.members.filter((member) => !bound.includes(member)),
    conditional: bound.filter((member) => !always.has(member)),
  }
}

function isOfProject(member: string, project: string): boolean {
  return member.startsWith('serviceAccount:') && member.endsWith(`@${project}`)
}

/** Whether the policy and the lists mean the same. */
export function agrees({ everyone, onlyInPolicy, onlyInLists }: PolicyDifferences): boolean {
  return everyone.length + onlyInPolicy.length + onlyInLists.length === 0
}
