// SPDX-License-Identifier: Apache-2.0
// See sealing.hpp.
#include "attest/owner/sealing.hpp"

#include "attest/owner/reference_state.hpp"

namespace casemate::owner {
namespace {

Outcome<int> approve(SecretBook& book, const PlatformRecord& record, const std::string& vm, std::uint64_t last_epoch,
                     const References& references, const cose::Signer& owner) {
    int count = 0;
    for (const verifier::Json& reference : references) {
        TRY(expect_owner(reference, owner.public_key()));
        secret::Circumstances at = TRY(circumstances_of(reference, vm));
        at.nv_index = record.epoch_counter;
        at.last_epoch = last_epoch;
        count += TRY(book.approve(record, vm, at, owner)) ? 1 : 0;
    }
    return count;
}

} // namespace

Outcome<bool> put_secret(SecretBook& book, const PlatformRecord& record, const std::string& vm, const std::string& name, ByteView value,
                         const References& references, const cose::Signer& owner) {
    for (const verifier::Json& reference : references) TRY(expect_receiver(reference, vm, name));
    TRY(approve(book, record, vm, record.epoch, references, owner));
    return book.put(record, vm, name, value, owner);
}

Outcome<int> approve_update(SecretBook& book, const PlatformRecord& record, const std::string& vm, const References& references,
                            const cose::Signer& owner) {
    return approve(book, record, vm, record.epoch + 1, references, owner);
}

} // namespace casemate::owner
