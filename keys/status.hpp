// SPDX-License-Identifier: Apache-2.0
// What a directory of keys holds and what of it expires when: `casemate keys status`. Reads certificates only, never a private key.
#pragma once

#include "keys/private_directory.hpp"

#include <cstdint>
#include <vector>

namespace casemate::keys {

struct CertificateStatus {
    std::string file;
    std::string name; // common name
    std::string key;  // id of a signing key, empty of any other
    std::int64_t not_before = 0; // seconds since the Unix epoch
    std::int64_t not_after = 0;

    [[nodiscard]] bool counts(std::int64_t now) const { return not_before <= now && now <= not_after; }
};

/// Of every certificate among the directory's files, in the order of their names.
[[nodiscard]] std::vector<CertificateStatus> status_of(const PrivateDirectory& directory);
/// As lines of a table, or as JSON.
[[nodiscard]] std::string table_of(const std::vector<CertificateStatus>& all, std::int64_t now);
[[nodiscard]] std::string json_of(const std::vector<CertificateStatus>& all, std::int64_t now);

} // namespace casemate::keys
