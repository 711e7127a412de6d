// SPDX-License-Identifier: Apache-2.0
// What the scenarios share: a session's standard configuration, files with one bit flipped, policies with a changed line,
// and what the verifier said.
#pragma once

#include "dlaunch/session/session.hpp"
#include "tests/platform/scenario.hpp"

#include <set>

namespace casemate::platform_test {

using session::ConsoleEvent;
using session::Observation;
using session::Session;
using session::SessionConfig;

/// A directory for a scenario's own files; goes with the object.
class Scratch {
public:
    Scratch();
    ~Scratch();
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

[[nodiscard]] SessionConfig standard(const Context& context);
/// Starts a session or states why it could not.
[[nodiscard]] std::unique_ptr<Session> begin(Context& context, SessionConfig config);

/// A copy of `file` with the lowest bit flipped in the byte at `offset` (negative: from the end).
[[nodiscard]] std::filesystem::path flipped(const Scratch& scratch, const std::filesystem::path& file, std::int64_t offset);
/// Where `text` first occurs in `file`; -1 when it does not.
[[nodiscard]] std::int64_t offset_of(const std::filesystem::path& file, const std::string& text);

/// The build's policy source with each `from` replaced by its `to`, compiled and signed with the development owner key. Empty on failure.
[[nodiscard]] std::filesystem::path changed_policy(const Context& context, const Scratch& scratch,
                                                   const std::vector<std::pair<std::string, std::string>>& changes);
/// Reference values for such a policy, with the images of `images`. Empty on failure.
[[nodiscard]] std::filesystem::path reference_for(const Context& context, const Scratch& scratch,
                                                  const std::filesystem::path& policy, const std::filesystem::path& images);

/// The build's images and these of bin/guests (tests/guests/tiny) in one folder, for the predictor.
[[nodiscard]] std::filesystem::path images_with_guests(const Scratch& scratch, const session::Artefacts& built, const std::vector<std::string>& guests);

/// Codes of the verifier's newest result; "affirming" alone when it affirmed. Empty when there is none yet.
[[nodiscard]] std::set<std::string> newest_reasons(const Session& session);
[[nodiscard]] bool both_assigned(const Observation& seen);
[[nodiscard]] bool both_proved(const Observation& seen);
/// States that no device was handed to anyone in this session.
void expect_no_hand_over(Context& context, const Session& session);

} // namespace casemate::platform_test
