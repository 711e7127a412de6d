// SPDX-License-Identifier: Apache-2.0
// See reference_match.hpp.
#include "attest/appraise/reference_match.hpp"

#include "attest/appraise/firmware_match.hpp"

namespace casemate::attest {

namespace {

/// Compares component by component; counts what agrees and, when asked, says what does not.
class Comparison {
public:
    Comparison(const LaunchRecord& record, const FirmwareReplay* firmware, const ReferenceSet& set,
               const measure::Banks& banks, Reasons* reasons)
        : record_{record}, firmware_{firmware}, set_{set}, banks_{banks}, reasons_{reasons} {}

    void run() {
        file(AppraisalError::slb_differs, "slb", set_.slb_length, set_.slb, record_.slb.length, record_.slb_digests);
        file(AppraisalError::hypervisor_differs, "hypervisor", set_.hypervisor_size, set_.hypervisor,
             record_.hypervisor.size, record_.hypervisor_digests);
        check(equal(set_.owner_key, record_.owner_key.key), AppraisalError::owner_key_differs, "owner key",
              hex_of(set_.owner_key), hex_of(record_.owner_key.key));
        file(AppraisalError::policy_differs, "policy", set_.policy_size, set_.policy_digest, record_.policy.size,
             record_.policy_digests);
        const bool epoch_good = set_.policy != nullptr && set_.policy->epoch == record_.policy.epoch;
        check(epoch_good, AppraisalError::policy_epoch, "policy epoch",
              text_of(set_.policy != nullptr ? set_.policy->epoch : 0), text_of(record_.policy.epoch));
        vms();
        firmware();
    }

    [[nodiscard]] bool whole() const { return different_ == 0; }
    [[nodiscard]] std::size_t agreeing() const { return agreeing_; }

private:
    void check(bool same, AppraisalError error, std::string_view component, ReasonText expected, ReasonText seen) {
        if (same) {
            ++agreeing_;
            return;
        }
        ++different_;
        if (reasons_ != nullptr) reasons_->add(error, text_of(component), expected, seen);
    }

    /// A measured file: its digest in every quoted bank, and the size that the log states.
    void file(AppraisalError error, std::string_view component, std::uint64_t expected_size,
              const measure::DigestSet& expected, std::uint64_t size, const measure::DigestSet& seen) {
        for (const measure::TPM_ALG_ID bank : banks_) {
            const measure::Digest* reference = expected.find(bank);
            if (reference == nullptr) { // a bank without reference values cannot be judged
                check(false, AppraisalError::reference_bank, component, text_of(measure::name_of(bank)), {});
                return;
            }
            const measure::Digest* measured = seen.find(bank);
            if (measured != nullptr && *measured == *reference) continue;
            check(false, error, component, hex_of(reference->view()),
                  measured != nullptr ? hex_of(measured->view()) : ReasonText{});
            return;
        }
        check(expected_size == size, error, component, text_of(expected_size), text_of(size));
    }

    void vms() {
        const std::size_t in_policy = set_.policy != nullptr ? set_.policy->vm_count : 0;
        const std::size_t count = record_.vm_definitions.size();
        check(count == in_policy && set_.vms.size() == in_policy, AppraisalError::vm_count, "VMs",
              text_of(std::uint64_t{in_policy}), text_of(std::uint64_t{count}));
        for (std::size_t i = 0; i < set_.vms.size() && i < count; ++i) vm(set_.vms[i], record_.vm_definitions[i]);
    }

    void vm(const ReferenceVm& reference, ByteView seen_bytes) {
        if (equal(reference.definition, seen_bytes)) {
            ++agreeing_;
            return;
        }
        const auto expected = measure::parse_vm_definition(reference.definition);
        const auto seen = measure::parse_vm_definition(seen_bytes);
        const std::size_t before = different_;
        if (expected && seen) {
            check(expected->kernel == seen->kernel, AppraisalError::vm_kernel_differs, reference.name,
                  hex_of(expected->kernel), hex_of(seen->kernel));
            check(expected->initrd == seen->initrd, AppraisalError::vm_initrd_differs, reference.name,
                  hex_of(expected->initrd), hex_of(seen->initrd));
            check(expected->command_line == seen->command_line, AppraisalError::vm_command_line_differs,
                  reference.name, text_of(expected->command_line), text_of(seen->command_line));
        }
        const bool rest_same = expected && seen && expected->name == seen->name && expected->role == seen->role &&
                               expected->memory_mib == seen->memory_mib && expected->vcpus == seen->vcpus;
        if (rest_same && different_ > before) return;
        check(false, AppraisalError::vm_definition_differs, reference.name, hex_of(measure::vm_id_of(reference.definition)),
              hex_of(measure::vm_id_of(seen_bytes)));
    }

    /// A set that speaks of firmware is never content with evidence that does not.
    void firmware() {
        for (const FirmwarePcrReference& reference : set_.firmware) {
            const std::optional<FirmwareDifference> difference =
                firmware_ == nullptr ? FirmwareDifference{AppraisalError::firmware_missing, text_of("firmware"),
                                                          text_of("PCR 0-7 with their log"), text_of("absent")}
                                     : compare_firmware(reference, *firmware_, banks_);
            if (difference) check(false, difference->error, difference->component.view(), difference->expected, difference->seen);
            else ++agreeing_;
        }
    }

    const LaunchRecord& record_;
    const FirmwareReplay* firmware_;
    const ReferenceSet& set_;
    const measure::Banks& banks_;
    Reasons* reasons_;
    std::size_t agreeing_ = 0;
    std::size_t different_ = 0;
};

/// What a key's state makes of evidence that rests on it; nothing when it counts.
std::optional<AppraisalError> refusal_of(KeyState state, AppraisalError unknown) {
    if (state == KeyState::good) return std::nullopt;
    return static_cast<AppraisalError>(static_cast<unsigned>(unknown) + static_cast<unsigned>(state) - static_cast<unsigned>(KeyState::unknown));
}

struct KeyRefusal {
    AppraisalError error;
    KeyId key;
};

/// Every owner who signed must count; so must the grant key that we sign with, and none that the policy names may be revoked: who
/// stole it could sign beside us. An expired one may be there until the next policy drops it.
std::optional<KeyRefusal> key_refused(const ReferenceSet& set, const ReferenceRules& rules) {
    const auto state = [&](KeyPurpose purpose, const KeyId& id) { return state_of(rules.keys, purpose, id, rules.now); };
    for (const KeyId& signer : set.signers)
        if (const auto error = refusal_of(state(KeyPurpose::owner, signer), AppraisalError::owner_key_unknown)) return KeyRefusal{*error, signer};
    for (const KeyId& key : set.grant_keys)
        if (state(KeyPurpose::grant, key) == KeyState::revoked) return KeyRefusal{AppraisalError::grant_key_revoked, key};
    if (!rules.grant_key) return std::nullopt;
    const auto error = refusal_of(state(KeyPurpose::grant, *rules.grant_key), AppraisalError::grant_key_unknown);
    return error ? std::optional{KeyRefusal{*error, *rules.grant_key}} : std::nullopt;
}
static_assert(static_cast<unsigned>(AppraisalError::owner_key_revoked) - static_cast<unsigned>(AppraisalError::owner_key_unknown) ==
              static_cast<unsigned>(KeyState::revoked) - static_cast<unsigned>(KeyState::unknown));

/// A set that matches wholly may not count yet, or no more. `reasons` may be null.
bool out_of_use(const ReferenceSet& set, const ReferenceRules& rules, Reasons* reasons) {
    const auto refused = [&](AppraisalError error, std::uint64_t limit, std::uint64_t seen) {
        if (reasons != nullptr) reasons->add(error, text_of(set.name), text_of(limit), text_of(seen));
        return true;
    };
    if (rules.now < set.not_before) return refused(AppraisalError::reference_not_yet_valid, set.not_before, rules.now);
    if (set.not_after != 0 && rules.now > set.not_after)
        return refused(AppraisalError::reference_expired, set.not_after, rules.now);
    if (set.policy->epoch < rules.minimum_epoch)
        return refused(AppraisalError::policy_epoch_low, rules.minimum_epoch, set.policy->epoch);
    const std::optional<KeyRefusal> key = key_refused(set, rules);
    if (key && reasons != nullptr) reasons->add(key->error, text_of(set.name), {}, hex_of(key->key));
    return key.has_value();
}

} // namespace

const ReferenceSet* match_reference(const LaunchRecord& record, const FirmwareReplay* firmware,
                                    std::span<const ReferenceSet> sets, const ReferenceRules& rules,
                                    const measure::Banks& banks, Reasons& reasons) {
    const ReferenceSet* nearest = nullptr;
    const ReferenceSet* unused = nullptr; // nothing differs, but it does not count
    std::size_t most_agreeing = 0;
    for (const ReferenceSet& set : sets) {
        Comparison comparison{record, firmware, set, banks, nullptr};
        comparison.run();
        if (comparison.whole() && !out_of_use(set, rules, nullptr)) return &set;
        if (comparison.whole() && unused == nullptr) unused = &set;
        if (nearest == nullptr || comparison.agreeing() > most_agreeing) {
            nearest = &set;
            most_agreeing = comparison.agreeing();
        }
    }
    if (unused != nullptr) static_cast<void>(out_of_use(*unused, rules, &reasons));
    else if (nearest == nullptr) reasons.add(AppraisalError::reference_missing, "reference values");
    else Comparison{record, firmware, *nearest, banks, &reasons}.run();
    return nullptr;
}

} // namespace casemate::attest
