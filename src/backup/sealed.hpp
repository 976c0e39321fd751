// Encryption of what a backup stores, in chunks, so that a file of any size is read and written in little memory and no
// cut, swapped or changed byte goes unnoticed.
//
// The construction is that of an age file's payload (https://c2sp.org/age), with AES-256-GCM for its cipher:
//
//     "boathouse sealed 1\n"   19 bytes
//     key id                    8 bytes   HKDF-SHA256 of the key, so that a wrong key is told from a damaged file
//     salt                     16 bytes   random; the file's own key is HKDF-SHA256 of the key and this
//     chunks of 65,536 bytes   + 16 bytes of tag each; the last one may be shorter, and is empty in an empty file alone
//
// A chunk's nonce is its number (11 bytes, big endian) and one byte that is 1 for the last chunk, so a file that ends
// early does not open. Chains as in bytes.hpp.
#pragma once

#include <memory>
#include <string>

#include "backup/bytes.hpp"
#include "base/secret.hpp"

namespace boathouse::backup {

// `key`: 64 hexadecimal digits.
Result<std::unique_ptr<Sink>> seal_sink(std::unique_ptr<Sink> below, const Secret& key);

// `name` is for the errors. Errors: permission (another key; none given), corrupt.
Result<std::unique_ptr<Source>> unseal_source(std::unique_ptr<Source> below, const Secret& key, std::string name);

// How large a file of so many bytes is when it is sealed.
long long sealed_bytes(long long bytes);

// What tells one key from another in public: 16 hexadecimal digits; empty for no key.
std::string key_id(const Secret& key);

}  // namespace boathouse::backup
