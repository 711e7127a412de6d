// SPDX-License-Identifier: Apache-2.0
// How a sealed secret comes out of the TPM: the twin of policy_digest.hpp that makes the TPM do it. What is refused and when is
// the TPM's decision alone; this only asks in the right order, at locality 2, and leaves nothing behind: no object, no session, no
// plaintext, PCR 22 reset.
//
//     session salted to the endorsement key ── import, load under it ── PCR 22 := the VM
//        ── PolicyPCR, PolicyLocality, PolicyNV, PolicyAuthorize ── unseal, hidden from the bus ── tidy up
//
// Who calls it: the hypervisor, while that VM holds its device under a live lease. At most 24 commands, each bounded by the transport.
#pragma once

#include "attest/secret/messages.hpp"

namespace casemate::secret {

/// What release() needs of the machine.
class ReleaseHost {
public:
    /// One command at locality 2; the response is a front part of `response`. A fault when there is none.
    [[nodiscard]] virtual Result<ByteSpan, measure::TpmFault> transmit(ByteView command, ByteSpan response) = 0;
    /// From the processor, not from the TPM: whoever listens on the bus must not know them. False: there are none.
    [[nodiscard]] virtual bool random(ByteSpan out) = 0;

protected:
    ~ReleaseHost() = default;
};

/// Where it ended; wire contract (ledger, console).
enum class ReleaseStep : std::uint8_t {
    none = 0,
    random = 1,
    session = 2,   // StartAuthSession: no such key in this TPM, or no room
    approve = 3,   // LoadExternal, VerifySignature: the approval is not by the owner
    import = 4,    // sealed to another TPM, or changed on the way
    load = 5,
    identity = 6,  // PCR 22
    circumstances = 7, // PolicyPCR, PolicyLocality, PolicyNV: the epoch is over, or no such counter
    authorize = 8, // PolicyAuthorize: not the state that was approved
    unseal = 9,    // not an object of this owner for this VM
};

struct ReleaseFault {
    ReleaseStep step = ReleaseStep::none;
    measure::TpmFault fault;
};

/// Plaintext that is wiped when it goes.
class Plaintext {
public:
    Plaintext() = default;
    Plaintext(const Plaintext&) = delete;
    Plaintext& operator=(const Plaintext&) = delete;
    ~Plaintext() { clear(); }
    [[nodiscard]] ByteView view() const { return ByteView{bytes_}.first(size_); }
    /// False when there is no room.
    [[nodiscard]] bool set(ByteView bytes);
    void clear();

private:
    std::array<std::uint8_t, max_secret> bytes_{};
    std::size_t size_ = 0;
};

/// `owner`: SEC1 point. `banks`: the active ones, all of which PCR 22 is extended in. Fills `out` on success only.
[[nodiscard]] Status<ReleaseFault> release(ReleaseHost& host, const SealedSecret& sealed, const Approval& approval, ByteView owner,
                                           const Digest& vm_id, const measure::Banks& banks, Plaintext& out);

} // namespace casemate::secret
