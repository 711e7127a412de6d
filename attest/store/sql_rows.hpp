// SPDX-License-Identifier: Apache-2.0
// The columns of platforms and grants, and their rows as records. Included by the files of SqlStore that read them.
#pragma once

#include "attest/store/sql.hpp"

namespace casemate::store {

#define PLATFORM_COLUMNS                                                                                       \
    "id, ek_public, ak_public, ek_certificate, banks, token_hash, token_expires_at, enrolled_at, "             \
    "clock, reset_count, restart_count, last_attested_at, last_verdict, rebinding_allowed, state, silent_since"

inline Platform read_platform(const Rows& row) {
    Platform platform;
    platform.identity = {row.text(0), row.blob(1), row.blob(2), row.blob(3), row.text(4)};
    platform.token_hash = row.blob(5);
    platform.token_expires_at = row.integer(6);
    platform.enrolled_at = row.integer(7);
    if (!row.is_null(8)) platform.last_clock = ClockInfo{row.integer(8), row.integer(9), row.integer(10)};
    platform.last_attested_at = row.integer(11);
    platform.last_verdict = row.text(12);
    platform.rebinding_allowed = row.integer(13) != 0;
    platform.state = row.text(14);
    platform.silent_since = row.integer(15);
    return platform;
}

#define GRANT_COLUMNS                                                                                          \
    "id, platform_id, launch_id, gate_nonce, vm_id, device, rights, lease_seconds, epoch, "                    \
    "evidence_clock, issued_at, renewed_at, cose, revoked_at, revocation, held"

inline Grant read_grant(const Rows& row) {
    Grant grant;
    grant.id = row.text(0);
    grant.platform_id = row.text(1);
    grant.launch_id = row.blob(2);
    grant.gate_nonce = row.blob(3);
    grant.vm_id = row.blob(4);
    grant.device = row.text(5);
    grant.rights = row.integer(6);
    grant.lease_seconds = row.integer(7);
    grant.epoch = row.integer(8);
    grant.evidence_clock = row.integer(9);
    grant.issued_at = row.integer(10);
    grant.renewed_at = row.integer(11);
    grant.cose = row.blob(12);
    grant.revoked_at = row.integer(13);
    grant.revocation = row.blob(14);
    grant.held = row.integer(15) != 0;
    return grant;
}

inline std::vector<Grant> read_all(Rows& rows) {
    std::vector<Grant> all;
    while (rows.next()) all.push_back(read_grant(rows));
    return all;
}

} // namespace casemate::store
