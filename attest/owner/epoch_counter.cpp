// SPDX-License-Identifier: Apache-2.0
// See epoch_counter.hpp.
#include "attest/owner/epoch_counter.hpp"

#include "attest/owner/secret_book.hpp"

#include <algorithm>

namespace casemate::owner {
namespace {

constexpr std::uint64_t longest_way = 64; // counts of one call: a typing error must not wear the TPM's memory out

Status<Error> expect_same(const PlatformDirectory& directory, const PlatformRecord& record, TpmAccess& tpm) {
    const auto modulus = secret::read_endorsement_key(tpm.asker(), record.endorsement_key);
    if (modulus.ok() && modulus.value() == record.modulus) return Done{};
    return fail("this is not the TPM of the platform in " + directory.path().string());
}

Outcome<PlatformRecord> with_epoch(const PlatformDirectory& directory, PlatformRecord record, std::uint64_t epoch) {
    if (epoch == record.epoch) return record;
    record.epoch = epoch;
    TRY(write_record(directory, record));
    return record;
}

/// Counting past a VM's last approval would leave it without its secrets.
Status<Error> refuse_lock_out(const PlatformDirectory& directory, std::uint64_t epoch) {
    const SecretBook book = TRY(read_book(directory));
    for (const SecretEntry& each : book.secrets()) {
        const auto& approvals = book.approvals(each.vm);
        const bool lives = std::any_of(approvals.begin(), approvals.end(), [&](const auto& one) { return one.last_epoch >= epoch; });
        if (!lives)
            return fail("in epoch " + std::to_string(epoch) + " no approved state of " + each.vm + " would be left, and its secrets lost to it: "
                        "approve one first (./casemate secret approve), or say --force");
    }
    return Done{};
}

} // namespace

Outcome<PlatformRecord> brought_up_to_date(const PlatformDirectory& directory, TpmAccess& tpm) {
    const PlatformRecord record = TRY(read_record(directory));
    TRY(expect_same(directory, record, tpm));
    const auto epoch = secret::read_epoch(tpm.asker(), record.epoch_counter);
    if (!epoch.ok()) return fail("the TPM has no epoch counter any more: provision the platform again (./casemate provision)");
    return with_epoch(directory, record, epoch.value());
}

Outcome<PlatformRecord> count_epoch(const PlatformDirectory& directory, TpmAccess& tpm, const Count& count) {
    const PlatformRecord record = TRY(read_record(directory));
    TRY(expect_same(directory, record, tpm));
    const std::uint64_t wanted = count.to == 0 ? record.epoch + 1 : count.to;
    if (wanted > record.epoch + longest_way) return fail("epoch " + std::to_string(wanted) + " is far from " + std::to_string(record.epoch));
    if (!count.force) TRY(refuse_lock_out(directory, wanted));
    const auto epoch = secret::count_epoch_up_to(tpm.asker(), record.epoch_counter, wanted);
    if (!epoch.ok()) return tpm.refusal("does not count its epoch counter up", epoch.error());
    return with_epoch(directory, record, epoch.value());
}

} // namespace casemate::owner
