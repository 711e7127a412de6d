// SPDX-License-Identifier: Apache-2.0
// Where the sessions of one user listen for their operator: ${XDG_RUNTIME_DIR:-/tmp}/casemate-UID/, one socket a session, its name
// the session's process number.
// Invariant: everything here happens inside a directory that was opened without following a symbolic link and is ours alone
// (owner, mode 0700); a path that another user prepared is refused, never repaired.
#pragma once

#include "dlaunch/model/unique_fd.hpp"

#include <filesystem>
#include <vector>

namespace casemate::session {

class OperatorDirectory {
public:
    [[nodiscard]] static std::filesystem::path usual_path();
    /// Makes it where it is missing.
    static model::Outcome<OperatorDirectory> create(const std::filesystem::path& path);
    /// It must be there.
    static model::Outcome<OperatorDirectory> open(const std::filesystem::path& path);

    /// A socket that listens under this number. It appears only when it listens, so one that refuses is a dead session's.
    [[nodiscard]] model::Outcome<model::UniqueFd> listen(int session) const;
    /// A connection to that session, whose process is this user's too.
    [[nodiscard]] model::Outcome<model::UniqueFd> connect(int session) const;
    /// Those that answer, ascending; the sockets of dead ones are removed.
    [[nodiscard]] std::vector<int> sessions() const;
    void remove(int session) const;

private:
    explicit OperatorDirectory(model::UniqueFd directory) : directory_{std::move(directory)} {}
    [[nodiscard]] std::string path_of(const std::string& name) const;
    [[nodiscard]] std::vector<int> numbers() const;

    model::UniqueFd directory_;
};

/// The user at the other end of a UNIX socket is the one whom this process works for.
[[nodiscard]] bool peer_is_same_user(int socket);

} // namespace casemate::session
