// SPDX-License-Identifier: Apache-2.0
// See release.hpp.
#include "attest/secret/release.hpp"

#include "dlaunch/measure/tpm_wire.hpp"

#include <algorithm>
#include <utility>

namespace casemate::secret {
namespace {

using namespace measure;

constexpr std::uint16_t alg_null = 0x0010, alg_sha256 = 0x000B, alg_ecdsa = 0x0018;
constexpr std::uint16_t TPM_ST_VERIFIED = 0x8022;
constexpr std::uint32_t pcr_identity = 22;
constexpr unsigned most_tries = 5; // of a command that the TPM asks to send again

void write_sized(BigEndianWriter& out, ByteView bytes) {
    out.u16(static_cast<std::uint16_t>(bytes.size()));
    out.bytes(bytes);
}

/// One release under way. Its destructor tidies the TPM up, whatever has happened.
class Release {
public:
    Release(ReleaseHost& host, const SealedSecret& sealed, const Approval& approval)
        : host_{host}, sealed_{sealed}, approval_{approval}, parent_{endorsement_key(sealed.modulus).name()} {}
    ~Release() {
        flush(object_);
        flush(owner_);
        flush(session_.handle());
        if (identified_) (void)ask(tpm2_pcr_reset(command_, pcr_identity)).ok(); // a TPM that does not reset it refuses the next release
        session_.end();
        wipe(response_);
    }
    Release(const Release&) = delete;
    Release& operator=(const Release&) = delete;

    [[nodiscard]] Status<TpmFault> start();
    [[nodiscard]] Status<TpmFault> check_approval(ByteView owner);
    [[nodiscard]] Status<TpmFault> import();
    [[nodiscard]] Status<TpmFault> load();
    [[nodiscard]] Status<TpmFault> identify(const Digest& vm_id, const Banks& banks);
    [[nodiscard]] Status<TpmFault> state_circumstances();
    [[nodiscard]] Status<TpmFault> authorize(ByteView owner);
    [[nodiscard]] Status<TpmFault> unseal(Plaintext& out);
    [[nodiscard]] bool draw_random() { return host_.random(random_); }

private:
    [[nodiscard]] Result<ByteSpan, TpmFault> ask(ByteView command);
    [[nodiscard]] Result<BigEndianReader, TpmFault> ask(ByteView command, std::uint16_t tag);
    /// Without sessions and without an answer; with a password and without an answer.
    [[nodiscard]] Status<TpmFault> tell(ByteView command);
    [[nodiscard]] Status<TpmFault> tell_with_password(ByteView command);
    [[nodiscard]] Status<TpmFault> satisfy_parent();
    [[nodiscard]] Result<ByteSpan, TpmFault> ask_in_session(TPM_CC code, const TpmSession::Target& target,
                                                                      ByteView parameters, TpmSession::Handles handles,
                                                                      TpmSession::Response wanted);
    void flush(TPM_HANDLE handle);

    ReleaseHost& host_;
    const SealedSecret& sealed_;
    const Approval& approval_;
    const TpmName parent_;
    TpmSession session_;
    TPM_HANDLE owner_ = 0, object_ = 0;
    TpmName object_name_{};
    bool identified_ = false;
    std::array<std::uint8_t, max_digest_size> ticket_{};
    std::size_t ticket_size_ = 0;
    std::array<std::uint8_t, 96> random_{};
    std::array<std::uint8_t, 512> private_{};
    std::size_t private_size_ = 0;
    std::array<std::uint8_t, 1280> command_{};
    std::array<std::uint8_t, 1024> parameters_{};
    std::array<std::uint8_t, 1024> response_{};
};

Result<ByteSpan, TpmFault> Release::ask(ByteView command) {
    for (unsigned tries = 1;; ++tries) {
        const ByteSpan response = TRY(host_.transmit(command, response_));
        BigEndianReader header{response};
        header.bytes(6);
        if (!TpmFault{TpmFaultKind::refused, header.u32()}.try_again() || tries == most_tries) return response;
    }
}

Result<BigEndianReader, TpmFault> Release::ask(ByteView command, std::uint16_t tag) {
    const ByteSpan response = TRY(ask(command));
    return open_response(response, tag);
}

Status<TpmFault> Release::tell(ByteView command) {
    const BigEndianReader rest = TRY(ask(command, TPM_ST_NO_SESSIONS));
    if (!rest.finished()) return Failure{TpmFault{}};
    return Done{};
}

Status<TpmFault> Release::tell_with_password(ByteView command) {
    const ByteSpan response = TRY(ask(command));
    return parse_empty_response(response);
}

void Release::flush(TPM_HANDLE handle) {
    if (handle == 0) return;
    TpmCommand command{command_, TPM_ST_NO_SESSIONS, TPM_CC::FlushContext};
    command.body.u32(handle);
    (void)tell(command.finish()).ok(); // one that stays takes room, and shows as such at the next release
}

Status<TpmFault> Release::start() {
    const ByteSpan response = TRY(ask(session_.start(command_, sealed_.parent, sealed_.modulus, random_)));
    return session_.started(response);
}

/// The owner's word first: nothing is imported for an approval that is worth nothing.
Status<TpmFault> Release::check_approval(ByteView owner) {
    const TpmArea key = owner_key(owner);
    TpmCommand load{command_, TPM_ST_NO_SESSIONS, TPM_CC::LoadExternal};
    load.sized({}); // no private part
    load.sized(key.view());
    load.body.u32(TPM_RH_OWNER);
    BigEndianReader loaded = TRY(ask(load.finish(), TPM_ST_NO_SESSIONS));
    owner_ = loaded.u32();
    TpmCommand verify{command_, TPM_ST_NO_SESSIONS, TPM_CC::VerifySignature};
    verify.body.u32(owner_);
    verify.sized(approval_digest(approval_.approved_policy, approval_.vm));
    verify.body.u16(alg_ecdsa);
    verify.body.u16(alg_sha256);
    verify.sized(ByteView{approval_.signature}.first(32));
    verify.sized(ByteView{approval_.signature}.subspan(32));
    BigEndianReader ticket = TRY(ask(verify.finish(), TPM_ST_NO_SESSIONS));
    const bool shape = ticket.u16() == TPM_ST_VERIFIED && ticket.u32() == TPM_RH_OWNER;
    const ByteView digest = ticket.bytes(ticket.u16());
    if (!ticket.finished() || !shape || digest.size() > ticket_.size()) return Failure{TpmFault{}};
    ticket_size_ = digest.size();
    std::copy(digest.begin(), digest.end(), ticket_.begin());
    flush(std::exchange(owner_, 0));
    return Done{};
}

/// PolicyA of the endorsement key: its hierarchy's password, which is empty.
Status<TpmFault> Release::satisfy_parent() {
    TpmCommand command{command_, TPM_ST_SESSIONS, TPM_CC::PolicySecret};
    command.body.u32(TPM_RH_ENDORSEMENT);
    command.body.u32(session_.handle());
    command.password();
    command.sized({}); // nonceTPM
    command.sized({}); // cpHashA
    command.sized({}); // policyRef
    command.body.u32(0); // expiration: no ticket
    (void)TRY(ask(command.finish(), TPM_ST_SESSIONS));
    return Done{};
}

Result<ByteSpan, TpmFault> Release::ask_in_session(TPM_CC code, const TpmSession::Target& target, ByteView parameters,
                                                             TpmSession::Handles handles, TpmSession::Response wanted) {
    if (!draw_random()) return Failure{TpmFault{}};
    const ByteView nonce = ByteView{random_}.first(sizeof(TpmSession::Nonce));
    const ByteSpan response = TRY(ask(session_.command(command_, code, target, parameters, nonce, wanted)));
    if (handles == TpmSession::Handles::one) { // to be flushed even when its code is wrong
        BigEndianReader opened = TRY(open_response(response, TPM_ST_SESSIONS));
        object_ = opened.u32();
    }
    return session_.answer(response, handles);
}

Status<TpmFault> Release::import() {
    TRY(satisfy_parent());
    BigEndianWriter in{parameters_};
    write_sized(in, {}); // encryptionKey: no inner wrapper
    write_sized(in, sealed_.object_public);
    write_sized(in, sealed_.duplicate);
    write_sized(in, sealed_.seed);
    in.u16(alg_null);
    const auto answer = TRY(ask_in_session(TPM_CC::Import, {sealed_.parent, parent_}, in.written(), TpmSession::Handles::none,
                                           TpmSession::Response::plain));
    BigEndianReader out{answer};
    const ByteView made = out.bytes(out.u16());
    if (!out.finished() || made.size() > private_.size()) return Failure{TpmFault{}};
    private_size_ = made.size();
    std::copy(made.begin(), made.end(), private_.begin());
    return Done{};
}

Status<TpmFault> Release::load() {
    TRY(satisfy_parent());
    BigEndianWriter in{parameters_};
    write_sized(in, ByteView{private_}.first(private_size_));
    write_sized(in, sealed_.object_public);
    (void)TRY(ask_in_session(TPM_CC::Load, {sealed_.parent, parent_}, in.written(), TpmSession::Handles::one,
                             TpmSession::Response::plain));
    object_name_ = name_of_public(sealed_.object_public);
    return Done{};
}

Status<TpmFault> Release::identify(const Digest& vm_id, const Banks& banks) {
    identified_ = true;
    TRY(tell_with_password(tpm2_pcr_reset(command_, pcr_identity)));
    return tell_with_password(tpm2_pcr_extend(command_, pcr_identity, hash_all(banks, vm_id)));
}

Status<TpmFault> Release::state_circumstances() {
    TpmCommand pcrs{command_, TPM_ST_NO_SESSIONS, TPM_CC::PolicyPCR};
    pcrs.body.u32(session_.handle());
    pcrs.sized({}); // whatever they hold
    pcrs.body.bytes(pcr_selection);
    TRY(tell(pcrs.finish()));
    TpmCommand locality{command_, TPM_ST_NO_SESSIONS, TPM_CC::PolicyLocality};
    locality.body.u32(session_.handle());
    locality.body.u8(locality_two);
    TRY(tell(locality.finish()));
    TpmCommand counter{command_, TPM_ST_SESSIONS, TPM_CC::PolicyNV};
    counter.body.u32(approval_.nv_index); // its own password, which is empty
    counter.body.u32(approval_.nv_index);
    counter.body.u32(session_.handle());
    counter.password();
    counter.body.u16(8);
    counter.body.u64(approval_.last_epoch);
    counter.body.u16(0); // offset
    counter.body.u16(operation_unsigned_le);
    return tell_with_password(counter.finish());
}

Status<TpmFault> Release::authorize(ByteView owner) {
    TpmCommand command{command_, TPM_ST_NO_SESSIONS, TPM_CC::PolicyAuthorize};
    command.body.u32(session_.handle());
    command.sized(approval_.approved_policy);
    command.sized(PolicyReference{approval_.vm}.view());
    command.sized(owner_key(owner).name());
    command.body.u16(TPM_ST_VERIFIED);
    command.body.u32(TPM_RH_OWNER);
    command.sized(ByteView{ticket_}.first(ticket_size_));
    return tell(command.finish());
}

Status<TpmFault> Release::unseal(Plaintext& out) {
    const auto answer = TRY(ask_in_session(TPM_CC::Unseal, {object_, object_name_}, {}, TpmSession::Handles::none,
                                           TpmSession::Response::encrypted));
    BigEndianReader reader{answer};
    const ByteView secret = reader.bytes(reader.u16());
    if (!reader.finished() || !out.set(secret)) return Failure{TpmFault{}};
    return Done{};
}

Status<ReleaseFault> at(ReleaseStep step, const Status<TpmFault>& result) {
    if (!result.ok()) return Failure{ReleaseFault{step, result.error()}};
    return Done{};
}

} // namespace

bool Plaintext::set(ByteView bytes) {
    clear();
    if (bytes.size() > bytes_.size()) return false;
    std::copy(bytes.begin(), bytes.end(), bytes_.begin());
    size_ = bytes.size();
    return true;
}

void Plaintext::clear() {
    wipe(bytes_);
    size_ = 0;
}

Status<ReleaseFault> release(ReleaseHost& host, const SealedSecret& sealed, const Approval& approval, ByteView owner, const Digest& vm_id,
                             const Banks& banks, Plaintext& out) {
    Release release{host, sealed, approval};
    if (!release.draw_random()) return Failure{ReleaseFault{ReleaseStep::random, {}}};
    TRY(at(ReleaseStep::session, release.start()));
    TRY(at(ReleaseStep::approve, release.check_approval(owner)));
    TRY(at(ReleaseStep::import, release.import()));
    TRY(at(ReleaseStep::load, release.load()));
    TRY(at(ReleaseStep::identity, release.identify(vm_id, banks)));
    TRY(at(ReleaseStep::circumstances, release.state_circumstances()));
    TRY(at(ReleaseStep::authorize, release.authorize(owner)));
    return at(ReleaseStep::unseal, release.unseal(out));
}

} // namespace casemate::secret
