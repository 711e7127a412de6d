// SPDX-License-Identifier: Apache-2.0
// What an owner asks of a platform's TPM when the platform is provisioned, before anybody else runs there: whose it is, and an epoch
// counter. Host only; locality 0. The owner hierarchy may have a password; the endorsement hierarchy has none, or no secret could be
// released: the hypervisor uses its key with the empty one. [TPM2-P3 31]
#pragma once

#include "attest/secret/seal.hpp"

#include <functional>

namespace casemate::secret {

/// One command and its response.
using TpmExchange = std::function<Bytes(ByteView command)>;

/// A platform's TPM, spoken to as its owner. The password is the owner hierarchy's and goes with the commands that this hierarchy
/// authorises, and with no other; it goes as it is: who listens on the TPM's bus then has it [TPM2-P1 19.4]. Empty: none is set.
struct OwnerTpm {
    OwnerTpm(TpmExchange way, ByteView password = {}) : exchange{std::move(way)}, owner_password{password} {} // NOLINT: a TPM without a password is one

    TpmExchange exchange;
    ByteView owner_password; // a view: its owner outlives this
};
inline constexpr std::size_t max_owner_password = 64; // bytes: of the largest hash that a TPM has [TPM2-P2 10.4.5]

/// Whether it was the password that the TPM did not take.
[[nodiscard]] bool is_password_refusal(const measure::TpmFault& fault);

struct PasswordsSet {
    bool owner = false, endorsement = false;
};
[[nodiscard]] Result<PasswordsSet, measure::TpmFault> passwords_set(const OwnerTpm& tpm);
/// Whether the TPM takes the owner's password, empty or not, before anything is done with it.
[[nodiscard]] Status<measure::TpmFault> try_owner_password(const OwnerTpm& tpm);

inline constexpr std::uint32_t epoch_counter_index = 0x01800001; // in the owner's range [TCG-PTP: handles]

/// The modulus of the RSA endorsement key at `handle`, which must be by template L-1.
[[nodiscard]] Result<Bytes, measure::TpmFault> read_endorsement_key(const OwnerTpm& tpm, std::uint32_t handle = 0x81010001);
/// Makes that key from the template and keeps it at `handle`, if it is not there. Its modulus.
[[nodiscard]] Result<Bytes, measure::TpmFault> ensure_endorsement_key(const OwnerTpm& tpm, std::uint32_t handle = 0x81010001);
/// The manufacturer's certificate for it, DER; empty when he gave none [TCG-EK 2.2.1.4].
[[nodiscard]] Result<Bytes, measure::TpmFault> read_ek_certificate(const OwnerTpm& tpm, std::uint32_t nv_index = 0x01c00002);
/// half_made: a power cut before it was counted up first. foreign: something else is at that index.
enum class CounterState { absent, half_made, good, foreign };
[[nodiscard]] Result<CounterState, measure::TpmFault> state_of_counter(const OwnerTpm& tpm, std::uint32_t nv_index);
/// Makes the counter if there is none, and counts it up once then. Its value.
[[nodiscard]] Result<std::uint64_t, measure::TpmFault> ensure_epoch_counter(const OwnerTpm& tpm, std::uint32_t nv_index);
[[nodiscard]] Result<std::uint64_t, measure::TpmFault> read_epoch(const OwnerTpm& tpm, std::uint32_t nv_index);
/// All approvals up to the value before end with this. The new value.
[[nodiscard]] Result<std::uint64_t, measure::TpmFault> count_epoch_up(const OwnerTpm& tpm, std::uint32_t nv_index);
/// As often as it takes; not at all when the counter is there already. Its value then.
[[nodiscard]] Result<std::uint64_t, measure::TpmFault> count_epoch_up_to(const OwnerTpm& tpm, std::uint32_t nv_index, std::uint64_t value);
[[nodiscard]] Status<measure::TpmFault> remove_epoch_counter(const OwnerTpm& tpm, std::uint32_t nv_index);

} // namespace casemate::secret
