/** Who may get tokens of which service account: everyone, unless it is denied. */
import { parseNames, invalidOption } from '../../checks/invalid-option.ts'
import { parseEmail } from '../../checks/parse-options.ts'

/** The service accounts whose tokens are denied, as if a role were not granted. */
export class TokenCreation {
  #denials: { readonly email: string; readonly member: string | undefined }[] = []

  /**
   * Denies the tokens of an account.
   *
   * @param options - `member`: denies them only to this member, as IAM spells it
   * (`serviceAccount:EMAIL`)
   * @returns a function that allows them again
   */
  deny(email: string, options: { readonly member?: string | undefined } = {}): () => void {
    const { member } = parseNames('options', options, ['member'])
    const denial = {
      email: parseEmail('email', email),
      member: member === undefined ? undefined : parseMember(member),
    }
    this.#denials.push(denial)
    return () => {
      this.#denials = this.#denials.filter((one) => one !== denial)
    }
  }

  /** Whether tokens of the account are denied to this member. */
  isDenied(email: string, member: string): boolean {
    return this.#denials.some(
      (denial) =>
        denial.email === email && (denial.member === undefined || denial.member === member),
    )
  }
}

/** https://cloud.google.com/iam/docs/principal-identifiers: the ones that the emulator uses. */
function parseMember(value: unknown): string {
  if (typeof value === 'string' && /^(?:serviceAccount|user|principal):./.test(value)) return value
  throw invalidOption('member', value, 'serviceAccount:EMAIL, user:EMAIL or principal://…')
}
