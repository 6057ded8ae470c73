/* libsodium in its portable C: ChaCha20-Poly1305, Ed25519, X25519, BLAKE2b, SHA-512 and Argon2id. */
#include "bench.h"
#include "sodium.h"

int main(int argc, char **argv) {
    uint32_t rounds = bench_size(argc, argv);
    static unsigned char message[65536], sealed[65536 + crypto_aead_chacha20poly1305_ietf_ABYTES], opened[65536];
    unsigned char key[32] = {1}, nonce[12] = {2}, seed[32] = {3}, pk[32], sk[64], signature[64], shared[32], hash[64], salt[16] = {4};
    uint64_t sum = 0;
    if (sodium_init() < 0) return 1;
    for (size_t i = 0; i < sizeof message; i++) message[i] = (unsigned char)(i * 31);
    bench_begin();
    if (crypto_sign_seed_keypair(pk, sk, seed) != 0) return 1;
    for (uint32_t i = 0; i < rounds; i++) {
        unsigned long long n, m;
        nonce[3] = (unsigned char)i;
        crypto_aead_chacha20poly1305_ietf_encrypt(sealed, &n, message, sizeof message, NULL, 0, NULL, nonce, key);
        if (crypto_aead_chacha20poly1305_ietf_decrypt(opened, &m, NULL, sealed, n, NULL, 0, nonce, key) != 0) return 1;
        sum = bench_mix_bytes(sum, sealed + sizeof message, 16);
        crypto_sign_detached(signature, NULL, message, 256 + i, sk);
        if (crypto_sign_verify_detached(signature, message, 256 + i, pk) != 0) return 1;
        sum = bench_mix_bytes(sum, signature, sizeof signature);
        if (crypto_scalarmult_base(shared, key) != 0) return 1;
        crypto_generichash(hash, sizeof hash, message, sizeof message, shared, sizeof shared);
        sum = bench_mix_bytes(sum, hash, sizeof hash);
        crypto_hash_sha512(hash, message, sizeof message);
        key[i & 31] ^= hash[0];
        sum = bench_mix_bytes(sum, hash, sizeof hash);
    }
    if (crypto_pwhash(hash, 32, "password", 8, salt, 2, 16 << 20, crypto_pwhash_ALG_ARGON2ID13) != 0) return 1;
    bench_end(bench_mix_bytes(sum, hash, 32));
    return 0;
}
