// SPDX-License-Identifier: Apache-2.0
// See reference_state.hpp.
#include "attest/owner/reference_state.hpp"

#include "attest/verifier/encoding.hpp"
#include "policy/model/bundle.hpp"
#include "policy/model/payload.hpp"

#include <algorithm>
#include <fstream>
#include <memory>

namespace casemate::owner {
namespace {

using verifier::Json;

constexpr std::size_t max_reference = 1 << 20;

Outcome<secret::Digest> digest_from(const Json& object, const char* name) {
    const auto member = object.find(name);
    const auto bytes = member == object.end() || !member->is_string() ? std::nullopt : verifier::from_hex(member->get<std::string>());
    secret::Digest digest;
    if (!bytes || bytes->size() != digest.size()) return fail(std::string{"the reference values have no digest \""} + name + "\"");
    std::copy(bytes->begin(), bytes->end(), digest.begin());
    return digest;
}

const Json& member(const Json& object, const char* name) {
    static const Json nothing = Json::object();
    const auto found = object.find(name);
    return found == object.end() ? nothing : *found;
}

Outcome<secret::Digest> identity_of(const Json& reference, const std::string& vm) {
    std::string known;
    for (const Json& each : member(reference, "vms")) {
        const std::string name = each.is_object() && member(each, "name").is_string() ? each["name"] : "";
        if (name == vm) return digest_from(each, "vm_id");
        known += (known.empty() ? "" : ", ") + name;
    }
    return fail("the reference values know no VM " + vm + " (they know: " + known + ")");
}

Outcome<std::vector<std::uint8_t>> bundle_of(const Json& reference) {
    const Json& text = member(member(reference, "policy"), "bundle");
    auto bytes = verifier::from_base64(text.is_string() ? text.get<std::string>() : "");
    if (!bytes || bytes->empty()) return fail("the reference values have no policy");
    return std::move(*bytes);
}

} // namespace

Outcome<Reference> read_reference_file(const std::string& path) {
    std::ifstream stream{path, std::ios::binary};
    std::string text(max_reference + 1, '\0');
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(stream.gcount()));
    if (!stream.eof() || text.empty()) return fail("cannot read the reference values " + path);
    auto object = verifier::parse_object(text);
    if (!object) return fail(path + ": " + object.error().detail);
    return Reference{std::move(object).value(), verifier::to_hex(measure::sha256(verifier::as_bytes(text)))};
}

Outcome<Json> read_reference(const std::string& path) { return TRY(read_reference_file(path)).values; }

Status<Error> expect_owner(const Json& reference, ByteView owner) {
    const auto bytes = TRY(bundle_of(reference));
    const auto bundle = policy::open_bundle(bytes); // a view of them
    if (!bundle.ok() || !policy::verify_bundle(bundle.value()).ok()) return fail("the reference values have no policy signed by its owners");
    if (!equal(bundle.value().owners.approval_key(), owner)) return fail("the reference values' policy is another owner's than this key's, or has another approval key");
    return Done{};
}

Outcome<std::unique_ptr<policy::Policy>> policy_of(const Json& reference) {
    const auto bytes = TRY(bundle_of(reference));
    auto policy = std::make_unique<policy::Policy>();
    const auto bundle = policy::open_bundle(bytes); // a view of them
    if (!bundle.ok() || !policy::parse_policy(bundle.value().payload(), *policy).ok()) return fail("the reference values have no policy");
    return policy;
}

std::string vm_named_by(const Json& reference, const secret::Digest& vm_id) {
    for (const Json& each : member(reference, "vms")) {
        const auto id = digest_from(each, "vm_id");
        if (id.ok() && id.value() == vm_id && member(each, "name").is_string()) return each["name"];
    }
    return {};
}

Status<Error> expect_receiver(const Json& reference, const std::string& vm, const std::string& secret) {
    const auto policy = TRY(policy_of(reference));
    if (policy->receiver_of(secret, vm) == policy->vm_count)
        return fail("the policy has no driver VM " + vm + " that may be given a secret " + secret + ": name it there (secrets = [\"" + secret + "\"]), and build");
    return Done{};
}

Outcome<secret::Circumstances> circumstances_of(const Json& reference, const std::string& vm) {
    const Json& pcrs = member(member(reference, "pcrs"), "sha256");
    secret::Circumstances at;
    at.pcr_17 = TRY(digest_from(pcrs, "17"));
    at.pcr_18 = TRY(digest_from(pcrs, "18"));
    at.vm_id = TRY(identity_of(reference, vm));
    return at;
}

} // namespace casemate::owner
