// SPDX-License-Identifier: Apache-2.0
// See reference_set.hpp.
#include "attest/verifier/reference_set.hpp"

#include "attest/verifier/encoding.hpp"
#include "attest/verifier/json_place.hpp"
#include "dlaunch/measure/crypto.hpp"
#include "dlaunch/measure/pcr_map.hpp"
#include "policy/model/payload.hpp"

namespace casemate::verifier {
namespace {

using measure::TPM_ALG_ID;

constexpr std::size_t max_file_name = 64;
// sha1 may be there, and is checked like the others, but nothing is ever appraised with it.
constexpr TPM_ALG_ID known_banks[] = {TPM_ALG_ID::SHA1, TPM_ALG_ID::SHA256, TPM_ALG_ID::SHA384, TPM_ALG_ID::SHA512};

/// `{"sha256": hex, ...}`. sha256 must be there; other banks may be.
Result<measure::DigestSet, ApiError> digests(const JsonPlace& object) {
    const JsonPlace values = TRY(object.member("digests"));
    TRY(values.only({"sha1", "sha256", "sha384", "sha512"}));
    (void)TRY(values.member("sha256"));
    measure::DigestSet set;
    for (const TPM_ALG_ID bank : known_banks) {
        if (!values.has(measure::name_of(bank))) continue;
        measure::Digest digest{bank, {}};
        const Bytes bytes = TRY(values.hex(measure::name_of(bank), digest.size()));
        std::copy(bytes.begin(), bytes.end(), digest.span().begin());
        set.add(digest);
    }
    return set;
}

/// What the document says beside the definition must be what is in it.
Status<ApiError> check_image(const JsonPlace& vm, const char* name, ByteView measured) {
    if (!vm.has(name)) return Done{};
    const JsonPlace image = TRY(vm.member(name));
    TRY(image.only({"file", "sha256"}));
    (void)TRY(image.text("file", max_file_name));
    const JsonPlace digest = TRY(image.member("sha256"));
    if (!equal(TRY(digest.hex(sha256_size)), measured)) return digest.wrong("is not the digest in the definition");
    return Done{};
}

} // namespace

Result<std::shared_ptr<const LoadedReference>, ApiError> LoadedReference::load(std::string id, const Json& document,
                                                                               ByteView grant_key) {
    const std::shared_ptr<LoadedReference> reference{new LoadedReference};
    reference->id_ = std::move(id);
    TRY(reference->read(JsonPlace{document, "reference"}, grant_key));
    return std::shared_ptr<const LoadedReference>{reference};
}

Status<ApiError> LoadedReference::read(const JsonPlace& document, ByteView grant_key) {
    TRY(document.only({"version", "slb", "hypervisor", "owner_key", "policy", "pcrs", "vms", "firmware", "not_before", "not_after"}));
    const JsonPlace version = TRY(document.member("version"));
    if (TRY(version.number()) != 1) return version.wrong("only version 1 is known");
    const JsonPlace slb = TRY(document.member("slb"));
    TRY(slb.only({"length", "digests"}));
    set_.slb_length = TRY(slb.number("length"));
    set_.slb = TRY(digests(slb));
    const JsonPlace hypervisor = TRY(document.member("hypervisor"));
    TRY(hypervisor.only({"size", "digests"}));
    set_.hypervisor_size = TRY(hypervisor.number("size"));
    set_.hypervisor = TRY(digests(hypervisor));
    TRY(read_owner_key(document));
    const JsonPlace policy = TRY(document.member("policy"));
    TRY(read_policy(policy, grant_key));
    const JsonPlace vms = TRY(document.member("vms"));
    TRY(read_vms(vms));
    TRY(read_firmware(document));
    TRY(read_validity(document));
    TRY(check_pcrs(document));
    set_.name = id_;
    return Done{};
}

/// One key, or a set of owners: read_policy() compares it with the bundle's.
Status<ApiError> LoadedReference::read_owner_key(const JsonPlace& document) {
    const JsonPlace value = TRY(document.member("owner_key"));
    const std::optional<Bytes> bytes = from_hex(TRY(value.text(2 * policy::max_owner_set)));
    if (!bytes) return value.wrong("must be lower-case hexadecimal");
    owner_key_ = *bytes;
    set_.owner_key = owner_key_;
    return Done{};
}

Status<ApiError> LoadedReference::read_policy(const JsonPlace& values, ByteView grant_key) {
    TRY(values.only({"epoch", "size", "digests", "bundle"}));
    set_.policy_digest = TRY(digests(values));
    bundle_ = TRY(values.base64("bundle", policy::max_bundle));
    set_.policy_size = bundle_.size();
    for (const measure::Digest& digest : set_.policy_digest)
        if (!(measure::hash(digest.algorithm, bundle_) == digest)) return values.wrong("the digest is not the bundle's");
    const Result<policy::Bundle, policy::BundleError> bundle = policy::open_bundle(bundle_);
    if (!bundle) return values.wrong(std::string("bundle: ") + policy::describe(bundle.error()));
    const Status<policy::BundleError> genuine = policy::verify_bundle(bundle.value());
    if (!genuine) return values.wrong(std::string("bundle: ") + policy::describe(genuine.error()));
    if (!equal(bundle.value().owners.bytes(), owner_key_)) return values.wrong("the policy is signed by another owner key");
    if (!policy::parse_policy(bundle.value().payload(), policy_)) return values.wrong("the policy does not parse");
    const bool agrees = TRY(values.number("size")) == bundle_.size() &&
                        TRY(values.number("epoch")) == policy_.epoch;
    if (!agrees) return values.wrong("the size or epoch is not the bundle's");
    const bool ours = equal(policy_.grant_key, grant_key) || (policy_.has_next_grant_key() && equal(policy_.next_grant_key, grant_key));
    if (!grant_key.empty() && !ours)
        return values.wrong("the policy names another grant key than this verifier's");
    set_.policy = &policy_;
    note_keys(bundle.value());
    return Done{};
}

void LoadedReference::note_keys(const policy::Bundle& bundle) {
    for (std::size_t i = 0; i < bundle.message.count; ++i) signers_.push_back(sha256(bundle.owners.key(bundle.signer(i))));
    grant_keys_.push_back(sha256(policy_.grant_key));
    if (policy_.has_next_grant_key()) grant_keys_.push_back(sha256(policy_.next_grant_key));
    set_.signers = signers_;
    set_.grant_keys = grant_keys_;
}

Status<ApiError> LoadedReference::read_vms(const JsonPlace& vms) {
    if (!vms.value().is_array() || vms.value().size() != policy_.vm_count) return vms.wrong("must list the policy's VMs");
    names_.reserve(policy_.vm_count); // the set views their contents: they must not move
    definitions_.reserve(policy_.vm_count);
    for (std::size_t i = 0; i < policy_.vm_count; ++i) {
        TRY(read_vm(vms.item(i), policy_.vms[i].name.view()));
        vms_.push_back({names_.back(), definitions_.back()});
    }
    set_.vms = vms_;
    return Done{};
}

Status<ApiError> LoadedReference::read_vm(const JsonPlace& vm, std::string_view name) {
    TRY(vm.only({"name", "vm_id", "definition", "kernel", "initrd", "command_line"}));
    names_.push_back(TRY(vm.text("name", policy::max_vm_name)));
    definitions_.push_back(TRY(vm.base64("definition", measure::max_vm_definition)));
    if (names_.back() != name) return vm.wrong("the VMs are not in policy order");
    const JsonPlace vm_id = TRY(vm.member("vm_id"));
    if (!equal(TRY(vm_id.hex(sha256_size)), measure::vm_id_of(definitions_.back())))
        return vm_id.wrong("is not the definition's");
    const std::optional<measure::VmDefinition> definition = measure::parse_vm_definition(definitions_.back());
    if (!definition || definition->name != names_.back()) return vm.wrong("the definition does not parse");
    TRY(check_image(vm, "kernel", definition->kernel));
    TRY(check_image(vm, "initrd", definition->initrd));
    if (!vm.has("command_line")) return Done{};
    const JsonPlace command_line = TRY(vm.member("command_line"));
    if (TRY(command_line.text(measure::max_vm_definition)) != definition->command_line)
        return command_line.wrong("is not the one in the definition");
    return Done{};
}

Status<ApiError> LoadedReference::read_firmware(const JsonPlace& document) {
    if (!document.has("firmware")) return Done{};
    const JsonPlace firmware = TRY(document.member("firmware"));
    TRY(firmware_.read(firmware));
    set_.firmware = firmware_.pcrs();
    return Done{};
}

Status<ApiError> LoadedReference::read_validity(const JsonPlace& document) {
    if (document.has("not_before")) {
        const JsonPlace begin = TRY(document.member("not_before"));
        set_.not_before = TRY(begin.time());
    }
    if (!document.has("not_after")) return Done{};
    const JsonPlace end = TRY(document.member("not_after"));
    set_.not_after = TRY(end.time());
    if (set_.not_after <= set_.not_before) return end.wrong("does not lie after not_before");
    return Done{};
}

/// PCR 17 and 18 follow from the rest; stated ones must agree.
Status<ApiError> LoadedReference::check_pcrs(const JsonPlace& document) const {
    if (!document.has("pcrs")) return Done{};
    const JsonPlace pcrs = TRY(document.member("pcrs"));
    TRY(pcrs.only({"sha1", "sha256", "sha384", "sha512"}));
    for (const TPM_ALG_ID bank : known_banks) {
        if (!pcrs.has(measure::name_of(bank))) continue;
        const JsonPlace values = TRY(pcrs.member(measure::name_of(bank)));
        TRY(values.only({"17", "18"}));
        measure::Banks one;
        (void)one.add(bank);
        measure::LaunchPcrs computed{one};
        const measure::DigestSet owner = measure::hash_all(one, owner_key_);
        const bool known = computed.extend(measure::pcr_launch, set_.slb) &&
                           computed.extend(measure::pcr_launch, set_.hypervisor) &&
                           computed.extend(measure::pcr_authority, owner) &&
                           computed.extend(measure::pcr_authority, set_.policy_digest);
        if (!known) return values.wrong("slb, hypervisor or policy has no digest of this bank");
        for (const auto& [name, pcr] : {std::pair{"17", measure::pcr_launch}, {"18", measure::pcr_authority}}) {
            const JsonPlace stated = TRY(values.member(name));
            const measure::Digest value = computed.value(bank, pcr);
            if (!equal(TRY(stated.hex(value.size())), value.view())) return stated.wrong("does not follow from the digests");
        }
    }
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
    KeyFacts keys = read_keys();
    const std::lock_guard guard{lock_};
    if (generation < generation_) return Done{}; // another thread was faster and read a newer state
    loaded_ = std::move(loaded);
    keys_ = std::move(keys);
    generation_ = generation;
    return Done{};
}

KeyFacts ReferenceLibrary::read_keys() const {
    KeyFacts facts;
    for (const store::SigningKey& key : context_.store.signing_keys()) {
        const auto id = from_hex(key.key_id);
        if (!id || id->size() != sha256_size) throw CryptoFailure("a signing key of the store has no id");
        attest::RegisteredKey& row = facts.keys.emplace_back();
        std::copy(id->begin(), id->end(), row.id.begin());
        row.purpose = key.purpose == "owner" ? attest::KeyPurpose::owner : attest::KeyPurpose::grant;
        row.not_before = static_cast<std::uint64_t>(key.not_before);
        row.not_after = static_cast<std::uint64_t>(key.not_after);
        row.revoked = key.revoked_at != 0;
    }
    if (!facts.keys.empty()) facts.grant_key = sha256(grant_key_);
    return facts;
}

KeyFacts ReferenceLibrary::key_facts() const {
    const std::lock_guard guard{lock_};
    return keys_;
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

Result<References, ApiError> ReferenceLibrary::archived(const std::vector<std::string>& ids) const {
    References loaded;
    for (const std::string& id : ids) {
        const std::optional<std::string> text = context_.store.archived_reference(id);
        if (!text) return refuse(409, "reference_gone", "reference set " + id + " is not in the archive");
        const Json document = TRY(parse_object(*text));
        loaded.push_back(TRY(LoadedReference::load(id, document, grant_key_)));
    }
    return loaded;
}

Result<std::shared_ptr<const LoadedReference>, ApiError> ReferenceLibrary::tried(const Json& document) const {
    return LoadedReference::load("tried", document, grant_key_);
}

References ReferenceLibrary::seen() const {
    const std::lock_guard guard{lock_};
    return loaded_;
}

References ReferenceLibrary::current(std::int64_t generation) const {
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
