/**
 * X.509 certificates (RFC 5280), in which Google publishes its signing keys. Clients in other
 * languages than JavaScript read these.
 */
import { createPublicKey, randomBytes, sign, type KeyObject } from 'node:crypto'
import * as asn1 from 'asn1js'

/** The name in Google's certificates. */
const COMMON_NAME = 'federated-signon.system.gserviceaccount.com'

const SHA256_WITH_RSA = '1.2.840.113549.1.1.11'
const ID_AT_COMMON_NAME = '2.5.4.3'
const BASIC_CONSTRAINTS = '2.5.29.19'

const VERSION_3 = 2

/** A self-signed certificate of a key, as PEM. */
export function selfSignedCertificate(
  privateKey: KeyObject,
  validity: { readonly from: Date; readonly to: Date },
): string {
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  const name = sequence(
    new asn1.Set({
      value: [sequence(oid(ID_AT_COMMON_NAME), new asn1.Utf8String({ value: COMMON_NAME }))],
    }),
  )
  const content = sequence(
    tagged(0, new asn1.Integer({ value: VERSION_3 })),
    asn1.Integer.fromBigInt(serialNumber()),
    signatureAlgorithm(),
    name,
    sequence(time(validity.from), time(validity.to)),
    name,
    asn1.fromBER(publicKey).result,
    tagged(3, sequence(notAnAuthority())),
  )
  const signature = sign('sha256', Buffer.from(content.toBER()), privateKey)
  const certificate = sequence(
    content,
    signatureAlgorithm(),
    new asn1.BitString({ valueHex: signature }),
  )
  return pem(Buffer.from(certificate.toBER()))
}

function sequence(...value: asn1.AsnType[]): asn1.Sequence {
  return new asn1.Sequence({ value })
}

function oid(value: string): asn1.ObjectIdentifier {
  return new asn1.ObjectIdentifier({ value })
}

/** Context-specific and explicit. */
function tagged(tagNumber: number, value: asn1.AsnType): asn1.Constructed {
  return new asn1.Constructed({ idBlock: { tagClass: 3, tagNumber }, value: [value] })
}

function signatureAlgorithm(): asn1.Sequence {
  return sequence(oid(SHA256_WITH_RSA), new asn1.Null())
}

/** Section 4.1.2.5: the year has two digits until 2049, and four digits after that. */
function time(valueDate: Date): asn1.AsnType {
  return valueDate.getUTCFullYear() < 2050
    ? new asn1.UTCTime({ valueDate })
    : new asn1.GeneralizedTime({ valueDate })
}

/** A positive and unique number. */
function serialNumber(): bigint {
  return BigInt(`0x7f${randomBytes(15).toString('hex')}`)
}

function notAnAuthority(): asn1.Sequence {
  return sequence(
    oid(BASIC_CONSTRAINTS),
    new asn1.Boolean({ value: true }),
    new asn1.OctetString({ valueHex: sequence().toBER() }),
  )
}

function pem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) as string[]
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}
