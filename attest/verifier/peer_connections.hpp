// SPDX-License-Identifier: Apache-2.0
// How many connections each address has open, so that one of them cannot take the places of all others.
// Safe from several threads. Called by the HTTP server's acceptor and its sessions.
#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <unordered_map>

namespace casemate::verifier {

class PeerConnections {
public:
    /// False, and nothing counted, when `address` has `limit` open already.
    [[nodiscard]] bool enter(const std::string& address, std::size_t limit) {
        const std::lock_guard guard{lock_};
        std::size_t& count = counts_[address];
        if (count >= limit) return false;
        ++count;
        return true;
    }
    void leave(const std::string& address) {
        const std::lock_guard guard{lock_};
        const auto found = counts_.find(address);
        if (found != counts_.end() && --found->second == 0) counts_.erase(found);
    }

private:
    std::mutex lock_;
    std::unordered_map<std::string, std::size_t> counts_;
};

} // namespace casemate::verifier
