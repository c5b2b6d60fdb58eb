/* CRC-32C (Castagnoli), as the store keeps it beside what it stores. */
const table = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? (n >>> 1) ^ 0x82f63b78 : n >>> 1
  return n
})

export function crc32c (bytes) {
  let c = ~0
  for (const b of bytes) c = table[(c ^ b) & 0xff] ^ (c >>> 8)
  return ~c >>> 0
}
