// SPDX-License-Identifier: Apache-2.0
// Reference values as the verifier holds them: reference.json (docs/interfaces/policy.md) read strictly, its policy
// bundle verified and parsed. A document with a member that nobody knows, or that is inconsistent in itself, is refused
// whole: a given reference is never half used, and never ignored. Called by the operator's routes, at start, and for each appraisal.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "attest/appraise/reference.hpp"
#include "attest/verifier/context.hpp"
#include "attest/verifier/firmware_reference.hpp"
#include "attest/verifier/json.hpp"
#include "policy/model/bundle.hpp"

namespace casemate::verifier {

/// Owns what attest::ReferenceSet views. Not copied or moved once made.
class LoadedReference {
public:
    /// `grant_key` is ours: a policy that does not name it could never accept our grants, so it is refused. Empty: who
    /// only explains evidence has no grant key.
    [[nodiscard]] static Result<std::shared_ptr<const LoadedReference>, ApiError>
    load(std::string id, const Json& document, ByteView grant_key);

    LoadedReference(const LoadedReference&) = delete;
    LoadedReference& operator=(const LoadedReference&) = delete;

    [[nodiscard]] const std::string& id() const { return id_; }
    [[nodiscard]] const attest::ReferenceSet& set() const { return set_; }

private:
    LoadedReference() = default;
    [[nodiscard]] Status<ApiError> read(const JsonPlace& document, ByteView grant_key);
    [[nodiscard]] Status<ApiError> read_owner_key(const JsonPlace& document);
    [[nodiscard]] Status<ApiError> read_policy(const JsonPlace& values, ByteView grant_key);
    void note_keys(const policy::Bundle& bundle);
    [[nodiscard]] Status<ApiError> read_vms(const JsonPlace& vms);
    [[nodiscard]] Status<ApiError> read_vm(const JsonPlace& vm, std::string_view name);
    [[nodiscard]] Status<ApiError> read_firmware(const JsonPlace& document);
    [[nodiscard]] Status<ApiError> read_validity(const JsonPlace& document);
    [[nodiscard]] Status<ApiError> check_pcrs(const JsonPlace& document) const;

    std::string id_;
    Bytes owner_key_;
    Bytes bundle_;
    policy::Policy policy_;
    std::vector<std::string> names_;
    std::vector<Bytes> definitions_;
    std::vector<attest::KeyId> signers_, grant_keys_;
    std::vector<attest::ReferenceVm> vms_;
    FirmwareReference firmware_;
    attest::ReferenceSet set_;
};

using References = std::vector<std::shared_ptr<const LoadedReference>>;

/// Which keys count, and the one that we sign grants with. Nobody imported any: both empty.
struct KeyFacts {
    std::vector<attest::RegisteredKey> keys;
    std::optional<attest::KeyId> grant_key;
    bool operator==(const KeyFacts&) const = default;
};

/// The valid sets, kept in the store and parsed once for each change, whichever replica made it.
class ReferenceLibrary {
public:
    ReferenceLibrary(const Context& context, Bytes grant_key) : context_{context}, grant_key_{std::move(grant_key)} {}

    /// At start. `documents` (text, source), when there are any, replace what the store has.
    [[nodiscard]] Status<ApiError> open(const std::vector<std::pair<std::string, std::string>>& documents);
    [[nodiscard]] Result<std::string, ApiError> add(const std::string& document, const std::string& source);
    [[nodiscard]] bool remove(const std::string& id);
    /// As the store has them now. Throws CryptoFailure when a set there cannot be read: it is never ignored.
    [[nodiscard]] References current() const { return current(context_.store.reference_generation()); }
    /// The same by who has just read Store::reference_generation().
    [[nodiscard]] References current(std::int64_t generation) const;
    /// As current() gave them last: a guess, to be compared with current().
    [[nodiscard]] References seen() const;
    /// As the last of current() found them, or newer.
    [[nodiscard]] KeyFacts key_facts() const;
    /// The sets with these ids, also when they were removed since; 409 `reference_gone` when one is not to be had.
    [[nodiscard]] Result<References, ApiError> archived(const std::vector<std::string>& ids) const;
    /// A set that is only tried: parsed and checked as an accepted one would be.
    [[nodiscard]] Result<std::shared_ptr<const LoadedReference>, ApiError> tried(const Json& document) const;

private:
    void replace(const std::vector<store::ReferenceSet>& sets);
    [[nodiscard]] Status<ApiError> reload() const;
    [[nodiscard]] KeyFacts read_keys() const;

    const Context& context_;
    Bytes grant_key_;
    mutable std::mutex lock_; // never held while the store is asked: its own lock may be held around current()
    mutable References loaded_;
    mutable KeyFacts keys_;
    mutable std::int64_t generation_ = -1; // of loaded_, as the store counts
};

} // namespace casemate::verifier
