// SPDX-License-Identifier: Apache-2.0
// See reference_set.hpp.
#include "attest/verifier/reference_set.hpp"

#include "attest/verifier/encoding.hpp"
#include "dlaunch/measure/crypto.hpp"
#include "policy/model/bundle.hpp"
#include "policy/model/payload.hpp"

namespace casemate::verifier {
namespace {

using measure::TPM_ALG_ID;

constexpr TPM_ALG_ID accepted_banks[] = {TPM_ALG_ID::SHA256, TPM_ALG_ID::SHA384, TPM_ALG_ID::SHA512};

Failure<ApiError> wrong(const std::string& detail) { return refuse(400, "reference", detail); }

Result<const Json*, ApiError> member(const Json& object, const char* name) {
    const auto found = object.is_object() ? object.find(name) : object.end();
    if (!object.is_object() || found == object.end()) return wrong(std::string("\"") + name + "\" is missing");
    return &*found;
}

Result<std::uint64_t, ApiError> number(const Json& object, const char* name) {
    const Json* value = TRY(member(object, name));
    if (!value->is_number_unsigned()) return wrong(std::string("\"") + name + "\" must be a number");
    return value->get<std::uint64_t>();
}

Result<Bytes, ApiError> hex(const Json& object, const char* name, std::size_t size) {
    const Json* value = TRY(member(object, name));
    std::optional<Bytes> bytes = value->is_string() ? from_hex(value->get<std::string>()) : std::nullopt;
    if (!bytes || bytes->size() != size)
        return wrong(std::string("\"") + name + "\" must be " + std::to_string(size) + " bytes of lower-case hex");
    return std::move(*bytes);
}

/// `{"sha256": hex, ...}`. sha256 must be there; other banks may be. sha1 is never a reference.
Result<measure::DigestSet, ApiError> digests(const Json& object) {
    const Json* values = TRY(member(object, "digests"));
    TRY(member(*values, "sha256"));
    measure::DigestSet set;
    for (const TPM_ALG_ID bank : accepted_banks) {
        if (!values->contains(measure::name_of(bank))) continue;
        measure::Digest digest{bank, {}};
        const Bytes bytes = TRY(hex(*values, measure::name_of(bank), digest.size()));
        std::copy(bytes.begin(), bytes.end(), digest.span().begin());
        set.add(digest);
    }
    return set;
}

} // namespace

Result<std::shared_ptr<const LoadedReference>, ApiError> LoadedReference::load(std::string id, const Json& document,
                                                                               ByteView grant_key) {
    const std::shared_ptr<LoadedReference> reference{new LoadedReference};
    reference->id_ = std::move(id);
    TRY(reference->read(document, grant_key));
    return std::shared_ptr<const LoadedReference>{reference};
}

Status<ApiError> LoadedReference::read(const Json& document, ByteView grant_key) {
    if (TRY(number(document, "version")) != 1) return wrong("only version 1 is known");
    const Json* slb = TRY(member(document, "slb"));
    set_.slb_length = TRY(number(*slb, "length"));
    set_.slb = TRY(digests(*slb));
    const Json* hypervisor = TRY(member(document, "hypervisor"));
    set_.hypervisor_size = TRY(number(*hypervisor, "size"));
    set_.hypervisor = TRY(digests(*hypervisor));
    const Bytes owner = TRY(hex(document, "owner_key", set_.owner_key.size()));
    std::copy(owner.begin(), owner.end(), set_.owner_key.begin());
    TRY(read_policy(document, grant_key));
    TRY(read_vms(document));
    set_.name = id_;
    return Done{};
}

Status<ApiError> LoadedReference::read_policy(const Json& document, ByteView grant_key) {
    const Json* values = TRY(member(document, "policy"));
    set_.policy_digest = TRY(digests(*values));
    bundle_ = TRY(bytes_member(*values, "bundle", policy::max_bundle));
    set_.policy_size = bundle_.size();
    for (const measure::Digest& digest : set_.policy_digest)
        if (!(measure::hash(digest.algorithm, bundle_) == digest)) return wrong("the policy's digest is not its bundle's");
    const Result<policy::Bundle, policy::BundleError> bundle = policy::open_bundle(bundle_);
    if (!bundle) return wrong(std::string("policy bundle: ") + policy::describe(bundle.error()));
    const Status<policy::BundleError> genuine = policy::verify_bundle(bundle.value());
    if (!genuine) return wrong(std::string("policy bundle: ") + policy::describe(genuine.error()));
    if (!equal(bundle.value().owner_key, set_.owner_key)) return wrong("the policy is signed by another owner key");
    if (!policy::parse_policy(bundle.value().payload(), policy_)) return wrong("the policy does not parse");
    const bool agrees = TRY(number(*values, "size")) == bundle_.size() && TRY(number(*values, "epoch")) == policy_.epoch;
    if (!agrees) return wrong("the policy's size or epoch is not its bundle's");
    if (!equal(policy_.grant_key, grant_key)) return wrong("the policy names another grant key than this verifier's");
    set_.policy = &policy_;
    return Done{};
}

Status<ApiError> LoadedReference::read_vms(const Json& document) {
    const Json* vms = TRY(member(document, "vms"));
    if (!vms->is_array() || vms->size() != policy_.vm_count) return wrong("\"vms\" must list the policy's VMs");
    names_.reserve(vms->size()); // the set views their contents: they must not move
    definitions_.reserve(vms->size());
    for (const Json& vm : *vms) {
        names_.push_back(TRY(text_member(vm, "name", policy::max_vm_name)));
        definitions_.push_back(TRY(bytes_member(vm, "definition", measure::max_vm_definition)));
        if (names_.back() != policy_.vms[names_.size() - 1].name.view()) return wrong("the VMs are not in policy order");
        if (!equal(TRY(hex(vm, "vm_id", 32)), measure::vm_id_of(definitions_.back())))
            return wrong("the vm_id of " + names_.back() + " is not its definition's");
        const std::optional<measure::VmDefinition> definition = measure::parse_vm_definition(definitions_.back());
        if (!definition || definition->name != names_.back())
            return wrong("the definition of " + names_.back() + " does not parse");
        vms_.push_back({names_.back(), definitions_.back()});
    }
    set_.vms = vms_;
    return Done{};
}

Status<ApiError> ReferenceLibrary::open(const std::vector<std::pair<std::string, std::string>>& documents) {
    std::vector<store::ReferenceSet> sets;
    for (const auto& [text, source] : documents) {
        const std::string id = to_hex(sha256(as_bytes(text)));
        const Json document = TRY(parse_object(text));
        (void)TRY(LoadedReference::load(id, document, grant_key_));
        sets.push_back({id, context_.now(), text, source});
    }
    if (!sets.empty()) replace(sets);
    return reload();
}

void ReferenceLibrary::replace(const std::vector<store::ReferenceSet>& sets) {
    const auto unit = context_.store.begin();
    context_.store.replace_references(sets);
    for (const store::ReferenceSet& set : sets) context_.audit("verifier", "replace_references", set.id, "done", set.source);
    unit->commit();
}

Status<ApiError> ReferenceLibrary::reload() const {
    const std::int64_t generation = context_.store.reference_generation(); // first: a change in between is seen next time
    References loaded;
    for (const store::ReferenceSet& set : context_.store.references()) {
        const Json document = TRY(parse_object(set.document));
        loaded.push_back(TRY(LoadedReference::load(set.id, document, grant_key_)));
    }
    const std::lock_guard guard{lock_};
    if (generation < generation_) return Done{}; // another thread was faster and read a newer state
    loaded_ = std::move(loaded);
    generation_ = generation;
    return Done{};
}

Result<std::string, ApiError> ReferenceLibrary::add(const std::string& document, const std::string& source) {
    const std::string id = to_hex(sha256(as_bytes(document)));
    const Json parsed = TRY(parse_object(document));
    (void)TRY(LoadedReference::load(id, parsed, grant_key_));
    context_.store.add_reference({id, context_.now(), document, source});
    return id;
}

bool ReferenceLibrary::remove(const std::string& id) {
    return context_.store.remove_reference(id);
}

References ReferenceLibrary::current() const {
    const std::int64_t generation = context_.store.reference_generation();
    {
        const std::lock_guard guard{lock_};
        if (generation == generation_) return loaded_;
    }
    const Status<ApiError> reloaded = reload();
    if (!reloaded) throw CryptoFailure("reference values: " + reloaded.error().detail);
    const std::lock_guard guard{lock_};
    return loaded_;
}

} // namespace casemate::verifier
