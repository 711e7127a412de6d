// SPDX-License-Identifier: Apache-2.0
// See owner_set.hpp.
#include "policy/model/owner_set.hpp"

#include <cstring>

namespace casemate::policy {
namespace {

constexpr std::uint8_t sec1_uncompressed = 4; // [SEC1 2.3.3]

bool has_good_size(std::size_t size) {
    return size == public_key_size || (size % public_key_size == 1 && size >= 1 + public_key_size * 3 && size <= max_owner_set);
}

} // namespace

bool OwnerSet::read(ByteView bytes) {
    if (!has_good_size(bytes.size())) return false;
    OwnerSet set;
    set.bytes_ = bytes;
    bool good = set.threshold() - 1 < set.count() && set.approval_key()[0] == sec1_uncompressed;
    for (std::size_t i = 0; i < set.count(); ++i) {
        const std::uint8_t* const key = set.key(i).data();
        good = good && key[0] == sec1_uncompressed;
        if (i > 0) good = good && std::memcmp(key - public_key_size, key, public_key_size) < 0;
    }
    if (good) *this = set;
    return good;
}

} // namespace casemate::policy
