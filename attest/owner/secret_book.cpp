// SPDX-License-Identifier: Apache-2.0
// See secret_book.hpp.
#include "attest/owner/secret_book.hpp"

#include "attest/verifier/encoding.hpp"
#include "attest/verifier/json.hpp"

#include <algorithm>
#include <tuple>

namespace casemate::owner {
namespace {

using verifier::Json;

constexpr const char* file_name = "secrets.json";
constexpr std::size_t max_text = 192 * 1024;

/// Throws Json::exception, as the rest of the reading does; parse() turns that into one sentence.
Bytes bytes_of(const Json& text) {
    auto bytes = verifier::from_base64(text.get<std::string>());
    return bytes && bytes->size() <= secret::max_message ? std::move(*bytes) : Bytes{};
}

/// Nothing when it is for another VM or no approval.
std::optional<ApprovalEntry> approval_of(const Json& text, const std::string& vm) {
    Bytes message = bytes_of(text);
    const auto approval = secret::read_approval(message);
    if (!approval.ok() || approval.value().vm != vm) return std::nullopt;
    const std::uint64_t last_epoch = approval.value().last_epoch;
    return ApprovalEntry{last_epoch, std::move(message)};
}

secret::Digest policy_of(const Bytes& message) { return secret::read_approval(message).value().approved_policy; }

} // namespace

Outcome<SecretBook> SecretBook::parse(std::string_view text) {
    SecretBook book;
    if (text.empty()) return book;
    const auto damaged = fail("the secrets' file is damaged");
    const auto object = verifier::parse_object(text);
    if (!object || text.size() > max_text) return damaged;
    try {
        for (const Json& each : object.value().at("secrets")) {
            SecretEntry entry{each.at("vm"), each.at("name"), bytes_of(each.at("sealed"))};
            auto& known = book.approvals_[entry.vm];
            known.clear(); // every secret of a VM has them all
            for (const Json& approval : each.at("approvals")) {
                auto read = approval_of(approval, entry.vm);
                if (!read) return damaged;
                known.push_back(std::move(*read));
            }
            if (entry.sealed.empty() || known.size() > max_approvals) return damaged;
            book.secrets_.push_back(std::move(entry));
        }
    } catch (const Json::exception&) {
        return damaged;
    }
    book.sort();
    return book;
}

Outcome<std::string> SecretBook::text() const {
    Json all = Json::array();
    for (const SecretEntry& each : secrets_) {
        Json approvals = Json::array();
        for (const ApprovalEntry& approval : this->approvals(each.vm)) approvals.push_back(verifier::to_base64(approval.message));
        all.push_back({{"vm", each.vm}, {"name", each.name}, {"sealed", verifier::to_base64(each.sealed)}, {"approvals", approvals}});
    }
    std::string text = Json{{"secrets", all}}.dump() + "\n";
    if (text.size() > max_text) return fail("these are too many secrets for one platform: the management line takes 192 KiB of them");
    return text;
}

Outcome<bool> SecretBook::put(const PlatformRecord& platform, const std::string& vm, const std::string& name, ByteView value,
                              const cose::Signer& owner) {
    const secret::Destination destination{.name = name, .vm = vm, .parent = platform.endorsement_key, .modulus = platform.modulus};
    auto sealed = secret::seal(destination, value, owner);
    if (!sealed.ok()) return fail("cannot seal " + name + " for " + vm + ": " + secret::describe(sealed.error()));
    const bool replaced = remove(vm, name);
    secrets_.push_back({vm, name, std::move(sealed).value()});
    sort();
    return replaced;
}

bool SecretBook::remove(const std::string& vm, const std::string& name) {
    return std::erase_if(secrets_, [&](const SecretEntry& each) { return each.vm == vm && each.name == name; }) > 0;
}

Outcome<bool> SecretBook::approve(const PlatformRecord& platform, const std::string& vm, const secret::Circumstances& circumstances,
                                  const cose::Signer& owner) {
    std::vector<ApprovalEntry> known = approvals(vm);
    std::erase_if(known, [&](const ApprovalEntry& each) { return each.last_epoch < platform.epoch; });
    auto message = secret::approve(vm, circumstances, owner);
    if (!message.ok()) return fail("cannot approve a state of " + vm + ": " + secret::describe(message.error()));
    const auto same = [&](const ApprovalEntry& each) { return policy_of(each.message) == policy_of(message.value()); };
    const bool is_new = std::none_of(known.begin(), known.end(), same);
    if (is_new && known.size() == max_approvals)
        return fail(vm + " has " + std::to_string(max_approvals) +
                    " approved states already: end the old ones first (./casemate epoch bump)");
    if (is_new) known.insert(known.begin(), {circumstances.last_epoch, std::move(message).value()});
    approvals_[vm] = std::move(known);
    return is_new;
}

const std::vector<ApprovalEntry>& SecretBook::approvals(const std::string& vm) const {
    static const std::vector<ApprovalEntry> none;
    const auto found = approvals_.find(vm);
    return found == approvals_.end() ? none : found->second;
}

void SecretBook::sort() {
    std::sort(secrets_.begin(), secrets_.end(),
              [](const SecretEntry& a, const SecretEntry& b) { return std::tie(a.vm, a.name) < std::tie(b.vm, b.name); });
}

Outcome<SecretBook> read_book(const PlatformDirectory& directory) {
    const auto text = TRY(directory.read(file_name));
    auto book = SecretBook::parse(text.value_or(""));
    if (!book.ok()) return fail((directory.path() / file_name).string() + ": " + book.error().text);
    return book;
}

Status<Error> write_book(const PlatformDirectory& directory, const SecretBook& book) {
    return directory.replace(file_name, TRY(book.text()));
}

} // namespace casemate::owner
