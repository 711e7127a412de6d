// SPDX-License-Identifier: Apache-2.0
// A digest that knows its algorithm, and a small set of them: what is extended into every active PCR bank at once.
// Plain values, no allocation. Used by everything that measures, writes or replays a log.
#pragma once

#include "hypervisor/base/bytes.hpp"

#include <array>

namespace casemate::measure {

/// The hash algorithms of PCR banks [TPM2-P2 T9]; the only ones that Casemate accepts. A value made from outside
/// bytes may be none of these: ask digest_size().
enum class TPM_ALG_ID : std::uint16_t { SHA1 = 0x0004, SHA256 = 0x000B, SHA384 = 0x000C, SHA512 = 0x000D };

inline constexpr std::size_t max_digest_size = 64;
inline constexpr std::size_t max_banks = 4;
using Sha256Digest = std::array<std::uint8_t, 32>;

/// Bytes of a digest, 0 for an algorithm that is not listed above.
[[nodiscard]] constexpr std::size_t digest_size(TPM_ALG_ID algorithm) {
    switch (algorithm) {
    case TPM_ALG_ID::SHA1: return 20;
    case TPM_ALG_ID::SHA256: return 32;
    case TPM_ALG_ID::SHA384: return 48;
    case TPM_ALG_ID::SHA512: return 64;
    }
    return 0;
}

/// "sha256" and so on: the names of reference.json and of the verifier's API.
[[nodiscard]] constexpr const char* name_of(TPM_ALG_ID algorithm) {
    switch (algorithm) {
    case TPM_ALG_ID::SHA1: return "sha1";
    case TPM_ALG_ID::SHA256: return "sha256";
    case TPM_ALG_ID::SHA384: return "sha384";
    case TPM_ALG_ID::SHA512: return "sha512";
    }
    return "unknown";
}

struct Digest {
    TPM_ALG_ID algorithm = TPM_ALG_ID::SHA256;
    std::array<std::uint8_t, max_digest_size> storage{};

    [[nodiscard]] constexpr std::size_t size() const { return digest_size(algorithm); }
    [[nodiscard]] constexpr ByteView view() const { return ByteView{storage}.first(size()); }
    [[nodiscard]] constexpr ByteSpan span() { return ByteSpan{storage}.first(size()); }
    constexpr bool operator==(const Digest& other) const {
        return algorithm == other.algorithm && equal(view(), other.view());
    }

    /// All bytes the same: 0x00 is a reset PCR, 0xFF one that no launch has touched, or the cap.
    [[nodiscard]] static constexpr Digest filled(TPM_ALG_ID algorithm, std::uint8_t byte) {
        Digest digest{algorithm, {}};
        for (std::uint8_t& each : digest.span()) each = byte;
        return digest;
    }
};

/// The active PCR banks, in the order in which the log header lists them. No duplicates.
class Banks {
public:
    /// False when the set is full, the algorithm is unknown or already there.
    constexpr bool add(TPM_ALG_ID algorithm) {
        if (count_ == max_banks || digest_size(algorithm) == 0 || contains(algorithm)) return false;
        algorithms_[count_++] = algorithm;
        return true;
    }
    [[nodiscard]] constexpr bool contains(TPM_ALG_ID algorithm) const {
        for (const TPM_ALG_ID each : *this) {
            if (each == algorithm) return true;
        }
        return false;
    }
    [[nodiscard]] constexpr std::size_t size() const { return count_; }
    [[nodiscard]] constexpr TPM_ALG_ID operator[](std::size_t index) const { return algorithms_[index]; }
    [[nodiscard]] constexpr const TPM_ALG_ID* begin() const { return algorithms_.data(); }
    [[nodiscard]] constexpr const TPM_ALG_ID* end() const { return algorithms_.data() + count_; }
    constexpr bool operator==(const Banks&) const = default;

private:
    std::array<TPM_ALG_ID, max_banks> algorithms_{};
    std::size_t count_ = 0;
};

/// One digest for each bank, in the banks' order.
class DigestSet {
public:
    /// The caller adds at most one digest for each bank; more than max_banks are dropped.
    constexpr void add(const Digest& digest) {
        if (count_ < max_banks) digests_[count_++] = digest;
    }
    /// Room for one that is filled in by the caller; there must be some.
    constexpr ByteSpan add(TPM_ALG_ID algorithm) {
        Digest& digest = digests_[count_++];
        digest.algorithm = algorithm;
        return digest.span();
    }
    constexpr void clear() { count_ = 0; }
    [[nodiscard]] constexpr const Digest* find(TPM_ALG_ID algorithm) const {
        for (const Digest& each : *this) {
            if (each.algorithm == algorithm) return &each;
        }
        return nullptr;
    }
    [[nodiscard]] constexpr std::size_t size() const { return count_; }
    [[nodiscard]] constexpr const Digest* begin() const { return digests_.data(); }
    [[nodiscard]] constexpr const Digest* end() const { return digests_.data() + count_; }

private:
    std::array<Digest, max_banks> digests_{};
    std::size_t count_ = 0;
};

} // namespace casemate::measure
