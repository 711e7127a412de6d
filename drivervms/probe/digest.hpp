// SPDX-License-Identifier: Apache-2.0
// A running SHA-256 with its hex form, over BearSSL: small when linked statically.
// Who calls it: cm-probe and casemate-peer.
#pragma once

#include "hypervisor/base/bytes.hpp"

#include <bearssl.h>
#include <string>

namespace casemate::probe {

class Digest {
public:
    Digest() { br_sha256_init(&context_); }
    void update(ByteView bytes) { br_sha256_update(&context_, bytes.data(), bytes.size()); }
    [[nodiscard]] std::string hex() const {
        std::uint8_t digest[br_sha256_SIZE];
        br_sha256_out(&context_, digest);
        std::string text;
        for (const std::uint8_t byte : digest) {
            text.push_back("0123456789abcdef"[byte >> 4]);
            text.push_back("0123456789abcdef"[byte & 15]);
        }
        return text;
    }

private:
    br_sha256_context context_;
};

} // namespace casemate::probe
