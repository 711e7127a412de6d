// SPDX-License-Identifier: Apache-2.0
// Takes a platform into the owner's hands, step by step: each step knows whether it is done, so a run that a power cut ended is
// simply run again, and one that is complete does nothing (docs/interfaces/platform-directory.md).
#pragma once

#include "attest/owner/platform_record.hpp"
#include "attest/owner/tpm_access.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace casemate::owner {

struct Step {
    std::string what;
    std::function<Outcome<bool>()> done;
    std::function<Status<Error>()> work;
    std::function<Outcome<bool>()> present{}; // something of it is there, of this build or an older one; not given: as done
    std::function<Status<Error>()> undo{};    // of what is present; not given: it stays
    std::function<Outcome<std::string>()> left{}; // what `undo` cannot take back and who can, as a sentence; empty: nothing
};

/// Does the step where it is not done, and looks whether it is then. Whether it was done before.
[[nodiscard]] Outcome<bool> complete(const Step& step);
/// Whether something of it is there that could be taken back; of a step that stays: never.
[[nodiscard]] Outcome<bool> can_be_taken_back(const Step& step);
/// Whether there was something.
[[nodiscard]] Outcome<bool> take_back(const Step& step);

/// A file for the EFI system partition: where there, and from which file, or with which content.
struct BootFile {
    std::filesystem::path target, source;
    std::string text{}; // when there is no source
};

/// The id of the platform with this TPM; nothing while it has no endorsement key.
[[nodiscard]] std::optional<std::string> platform_of(TpmAccess& tpm);

/// The TPM's part: endorsement key, epoch counter, and the record of both. The key is never undone: it is the manufacturer's, and others use it.
[[nodiscard]] std::vector<Step> tpm_steps(const PlatformDirectory& directory, TpmAccess& tpm);
/// One step a file: written aside, then renamed. Another's boot loader is neither replaced nor removed: `directory` knows the digests of ours.
[[nodiscard]] std::vector<Step> boot_steps(const PlatformDirectory& directory, const std::filesystem::path& esp, const std::vector<BootFile>& files);
/// What a launch needs, out of a build's directory: launcher, SLB, hypervisor, policy, images and the list of them.
[[nodiscard]] Outcome<std::vector<BootFile>> boot_files_of(const std::filesystem::path& build);

} // namespace casemate::owner
