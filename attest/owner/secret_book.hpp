// SPDX-License-Identifier: Apache-2.0
// The sealed secrets of one platform with the approvals of its VMs, as the relay hands them out (docs/interfaces/secret.md): what a
// platform needs, and nothing that needs hiding.
//
// An approval is good for all secrets of its VM. It is dead once the platform's epoch is past its last one.
#pragma once

#include "attest/owner/platform_record.hpp"
#include "attest/secret/seal.hpp"

#include <map>
#include <string>
#include <vector>

namespace casemate::owner {

inline constexpr std::size_t max_approvals = 4; // of one VM: the agent tries one after the other, 18 TPM commands each

struct SecretEntry {
    std::string vm, name;
    Bytes sealed;
};

struct ApprovalEntry {
    std::uint64_t last_epoch = 0;
    Bytes message;
};

class SecretBook {
public:
    SecretBook() = default;
    /// Of a file by text(); "" is an empty book.
    [[nodiscard]] static Outcome<SecretBook> parse(std::string_view text);
    /// Refuses what does not fit the relay's answer (192 KiB).
    [[nodiscard]] Outcome<std::string> text() const;

    /// Seals `value` to the VM on that platform. True when it replaced one of that name.
    Outcome<bool> put(const PlatformRecord& platform, const std::string& vm, const std::string& name, ByteView value,
                      const cose::Signer& owner);
    /// True when there was one.
    bool remove(const std::string& vm, const std::string& name);
    /// Approves a state of `vm`, the newest first. Drops what `platform`'s epoch has ended; false when that state is approved already.
    Outcome<bool> approve(const PlatformRecord& platform, const std::string& vm, const secret::Circumstances& circumstances,
                          const cose::Signer& owner);

    [[nodiscard]] const std::vector<SecretEntry>& secrets() const { return secrets_; }
    [[nodiscard]] const std::vector<ApprovalEntry>& approvals(const std::string& vm) const;

private:
    void sort();
    std::vector<SecretEntry> secrets_; // by VM and name
    std::map<std::string, std::vector<ApprovalEntry>> approvals_;
};

/// secrets.json of a platform's directory; an empty book when there is none.
[[nodiscard]] Outcome<SecretBook> read_book(const PlatformDirectory& directory);
Status<Error> write_book(const PlatformDirectory& directory, const SecretBook& book);

} // namespace casemate::owner
