// SPDX-License-Identifier: Apache-2.0
// The owner's flows against a software TPM: provisioning, sealing, an update, the end of an old epoch; each of them with the power cut at
// every step of it: afterwards the old state or the new one works, and the same command finishes the work.
#include "attest/owner/epoch_counter.hpp"
#include "attest/owner/provisioning.hpp"
#include "attest/owner/sealing.hpp"
#include "attest/verifier/encoding.hpp"
#include "policy/model/bundle.hpp"
#include "tests/platform/secret/steps.hpp"
#include "tests/platform/secret/test_tpm.hpp"
#include "tests/unit/policy_sample.hpp"

#include "dlaunch/measure/tpm_command.hpp"

#include <array>
#include <catch2/catch.hpp>

using namespace casemate;
using namespace casemate::owner;
using casemate::secret_test::forward;
using casemate::secret_test::take;
using casemate::secret_test::TestTpm;

namespace {

/// The way to a TestTpm, which ends after so many commands.
class Line final : public TpmAccess {
public:
    explicit Line(TestTpm& tpm) : ask_{tpm.owner()} {}
    Bytes exchange(ByteView command) override {
        if (left == 0) return {};
        --left;
        ++sent;
        return ask_(command);
    }
    unsigned left = 1000, sent = 0;

private:
    secret::TpmExchange ask_;
};

secret::Digest filled(std::uint8_t byte) {
    secret::Digest digest;
    digest.fill(byte);
    return digest;
}

/// What is measured when one version of the software is launched.
struct State {
    secret::Digest pcr_17_event, pcr_18_event, vm_id;
};
const State old_state{filled(1), filled(2), filled(3)}, new_state{filled(1), filled(4), filled(5)};

std::uint32_t code_of(const Bytes& response) { return BigEndianReader{ByteView{response}.subspan(6)}.u32(); }

/// Eight bytes of NV memory behind a password; wrong ones are counted.
void define_index(TestTpm& tpm, std::uint32_t index) {
    using namespace casemate::measure;
    constexpr std::uint32_t auth_read_and_write = 0x00040004; // TPMA_NV
    std::array<std::uint8_t, 128> buffer;
    TpmCommand define{buffer, TPM_ST_SESSIONS, TPM_CC::NV_DefineSpace};
    define.handle_with_password(TPM_RH_OWNER);
    define.sized(filled(1));
    for (const unsigned half : {14u, index >> 16, index & 0xffff, 0xBu, auth_read_and_write >> 16, auth_read_and_write & 0xffff, 0u, 8u})
        define.body.u16(static_cast<std::uint16_t>(half));
    REQUIRE(code_of(tpm.owner()(define.finish())) == TPM_RC_SUCCESS);
}

/// What somebody at locality 0 can do: wrong passwords for an NV index of his own, until the TPM refuses to try.
void provoke_lockout(TestTpm& tpm) {
    using namespace casemate::measure;
    constexpr std::uint32_t index = 0x01800077, lockout = 0x921; // TPM_RC_LOCKOUT
    define_index(tpm, index);
    std::array<std::uint8_t, 128> buffer;
    std::uint32_t code = 0;
    for (int tries = 0; tries < 40 && code != lockout; ++tries) {
        TpmCommand read{buffer, TPM_ST_SESSIONS, TPM_CC::NV_Read};
        for (const std::uint32_t word : {index, index, 10u, TPM_RS_PW}) read.body.u32(word);
        for (const std::uint8_t byte : {0, 0, 0, 0, 1, 7}) read.body.u8(byte); // no nonce, no attributes, the password 07h
        for (const std::uint16_t half : {8, 0}) read.body.u16(half);
        code = code_of(tpm.owner()(read.finish()));
    }
    REQUIRE(code == lockout);
}

/// A platform, and its owner's directory and key.
class Scene {
public:
    Scene() : state_{std::move(model::StateDir::create()).value()}, directory{take(PlatformDirectory::make(state_.path() / "platform"))} {}

    /// A power cycle, and a launch of that version.
    void boot(const State& state) {
        tpm.power_cycle();
        tpm.launch();
        tpm.extend(17, state.pcr_17_event);
        tpm.extend(18, state.pcr_18_event);
    }
    /// The reference values of that version, with a policy of this owner.
    [[nodiscard]] References predicted(const State& state) {
        boot(state);
        policy::Policy policy = test::sample_policy();
        policy.vms[1].secret_count = 1;
        test::set(policy.vms[1].secrets[0], "tunnel-key");
        Bytes header(cose::max_protected);
        const auto bundle = key.sign_message(policy::encode_bundle_header(key.public_key(), header), test::encoded(policy));
        REQUIRE(bundle.ok());
        return {verifier::Json{{"policy", {{"bundle", verifier::to_base64(bundle.value())}}},
                               {"pcrs", {{"sha256", {{"17", verifier::to_hex(tpm.pcr(17))}, {"18", verifier::to_hex(tpm.pcr(18))}}}}},
                               {"vms", {{{"name", "net0"}, {"vm_id", verifier::to_hex(state.vm_id)}}}}}};
    }
    /// As the agent does: the approvals in the book one after the other. Whether the VM has its secret now.
    [[nodiscard]] bool unseals(const State& state) {
        boot(state);
        const SecretBook book = take(read_book(directory));
        REQUIRE(book.secrets().size() == 1);
        const auto point = measure::P256PublicKey::create(key.public_key()).value();
        const auto opened = secret::open_secret(book.secrets()[0].sealed, point);
        REQUIRE(opened.ok());
        measure::Banks banks;
        REQUIRE(banks.add(measure::TPM_ALG_ID::SHA256));
        for (const ApprovalEntry& each : book.approvals("net0")) {
            const auto approval = secret::read_approval(each.message);
            secret::Plaintext out;
            const auto released = secret::release(tpm, opened.value(), approval.value(), key.public_key(), state.vm_id, banks, out);
            if (released.ok()) return equal(out.view(), value);
        }
        return false;
    }
    void provision() {
        Line line{tpm};
        REQUIRE(forward(tpm_steps(directory, line)).ok());
    }
    void put() {
        SecretBook book = take(read_book(directory));
        CHECK_FALSE(take(put_secret(book, take(read_record(directory)), "net0", "tunnel-key", value, predicted(old_state), key)));
        REQUIRE(write_book(directory, book).ok());
    }
    void approve() {
        SecretBook book = take(read_book(directory));
        CHECK(take(approve_update(book, take(read_record(directory)), "net0", predicted(new_state), key)) == 1);
        REQUIRE(write_book(directory, book).ok());
    }

    TestTpm tpm;
    cose::Signer key = cose::Signer::generate().value();
    const Bytes value{1, 2, 3, 4, 5, 6, 7, 8};

private:
    model::StateDir state_;

public:
    PlatformDirectory directory;
};

} // namespace

TEST_CASE("provisioning does what is missing, and nothing when it is complete", "[owner]") {
    Scene scene;
    Line line{scene.tpm};
    const auto steps = tpm_steps(scene.directory, line);
    CHECK_FALSE(take(steps[1].done())); // the manufacturer made the key, nobody the counter
    CHECK_FALSE(read_record(scene.directory).ok());
    REQUIRE(forward(steps).ok());
    const PlatformRecord record = take(read_record(scene.directory));
    CHECK(record.epoch > 0);
    CHECK(record.ek_certificate.size() > 500);
    CHECK(record.platform_id().size() == 64);
    for (const Step& step : steps) CHECK(take(step.done()));
    REQUIRE(forward(steps).ok());
    CHECK(text_of(take(read_record(scene.directory))) == text_of(record));
}

TEST_CASE("a TPM without an endorsement key gets the one that its seed gives, and no certificate", "[owner]") {
    Scene scene;
    scene.provision();
    const PlatformRecord before = take(read_record(scene.directory));
    constexpr std::uint8_t evict[] = {0x80, 0x02, 0, 0, 0, 0x23, 0, 0, 1, 0x20, 0x40, 0, 0, 1, 0x81, 1, 0, 1, 0, 0, 0, 9,
                                      0x40, 0, 0, 9, 0, 0, 0, 0, 0, 0x81, 1, 0, 1}; // TPM2_EvictControl [TPM2-P3 28.5]
    (void)scene.tpm.owner()(evict);
    Line line{scene.tpm};
    REQUIRE_FALSE(take(tpm_steps(scene.directory, line)[0].done()));
    scene.provision();
    CHECK(take(read_record(scene.directory)).platform_id() == before.platform_id());
}

TEST_CASE("a power cut at each command of provisioning is made good by running it again", "[owner]") {
    unsigned commands = 0;
    {
        Scene scene;
        Line line{scene.tpm};
        REQUIRE(forward(tpm_steps(scene.directory, line)).ok());
        commands = line.sent;
    }
    Scene scene;
    for (unsigned left = 0; left < commands; ++left) {
        Line line{scene.tpm};
        line.left = left;
        (void)forward(tpm_steps(scene.directory, line));
        scene.tpm.power_cycle();
    }
    scene.provision();
    CHECK(take(read_record(scene.directory)).epoch > 0);
    CHECK(scene.tpm.loaded_handles() == 0);
}

TEST_CASE("an index of another kind where the epoch counter belongs is refused, and left alone", "[owner]") {
    Scene scene;
    Line line{scene.tpm};
    define_index(scene.tpm, secret::epoch_counter_index);
    const auto steps = tpm_steps(scene.directory, line);
    const auto refused = steps[1].done();
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().text.find("something else") != std::string::npos);
    CHECK_FALSE(secret::ensure_epoch_counter(scene.tpm.owner(), secret::epoch_counter_index).ok());
    CHECK(secret::state_of_counter(scene.tpm.owner(), secret::epoch_counter_index).value() == secret::CounterState::foreign);
}

TEST_CASE("undone, the counter and the record are gone, and the endorsement key is not", "[owner]") {
    Scene scene;
    scene.provision();
    Line line{scene.tpm};
    auto steps = tpm_steps(scene.directory, line);
    CHECK_FALSE(steps[0].undo); // others use that key
    REQUIRE(steps[2].undo().ok());
    REQUIRE(steps[1].undo().ok());
    CHECK_FALSE(read_record(scene.directory).ok());
    CHECK_FALSE(take(steps[1].done()));
    CHECK(take(steps[0].done()));
}

TEST_CASE("the record of one platform is never replaced by another's", "[owner]") {
    Scene scene;
    scene.provision();
    TestTpm other;
    Line line{other};
    const auto steps = tpm_steps(scene.directory, line);
    const auto refused = forward(steps);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().text.find("another platform's") != std::string::npos);
}

TEST_CASE("an update: at each step of it the version that runs has its secret; at its end the old one has not", "[owner]") {
    Scene scene;
    scene.provision();
    scene.put();
    CHECK(scene.unseals(old_state));
    CHECK_FALSE(scene.unseals(new_state)); // not approved yet
    Line line{scene.tpm};
    const auto early = count_epoch(scene.directory, line, {});
    REQUIRE_FALSE(early.ok()); // or the old state, the only one approved, would be locked out
    CHECK(early.error().text.find("approve one first") != std::string::npos);
    CHECK(scene.unseals(old_state));
    scene.approve();
    CHECK(scene.unseals(old_state)); // not rolled out yet, or rolled back
    CHECK(scene.unseals(new_state));

    const std::uint64_t before = take(read_record(scene.directory)).epoch;
    // The power is cut at each command: key, counter, count, counter again. The fourth cut finds the TPM counted and the record not:
    // the same call then finishes the work and counts no further.
    for (unsigned left = 0; left <= 4; ++left) {
        line.left = left;
        CHECK(count_epoch(scene.directory, line, {}).ok() == (left == 4));
        CHECK(scene.unseals(new_state));
    }
    line.left = 1000;
    const PlatformRecord after = take(brought_up_to_date(scene.directory, line));
    CHECK(after.epoch == before + 1); // however often it was begun
    CHECK(scene.unseals(new_state));
    CHECK_FALSE(scene.unseals(old_state));

    // The next update; what is dead leaves the book.
    scene.approve();
    const SecretBook book = take(read_book(scene.directory));
    for (const ApprovalEntry& each : book.approvals("net0")) CHECK(each.last_epoch >= after.epoch);
}

TEST_CASE("another owner's policy, or one that does not name the secret, is not sealed for", "[owner]") {
    Scene scene;
    scene.provision();
    const PlatformRecord record = take(read_record(scene.directory));
    const References references = scene.predicted(old_state);
    const cose::Signer stranger = cose::Signer::generate().value();
    SecretBook book;
    const auto other_owner = put_secret(book, record, "net0", "tunnel-key", scene.value, references, stranger);
    REQUIRE_FALSE(other_owner.ok());
    CHECK(other_owner.error().text.find("another owner's") != std::string::npos);
    CHECK_FALSE(approve_update(book, record, "net0", references, stranger).ok());
    CHECK_FALSE(put_secret(book, record, "net0", "other-key", scene.value, references, scene.key).ok());
    CHECK(book.secrets().empty());
    CHECK(book.approvals("net0").empty());
}

TEST_CASE("a provoked lock-out of the TPM locks neither the owner nor the VM out", "[owner]") {
    Scene scene;
    scene.provision();
    scene.put();
    provoke_lockout(scene.tpm);
    CHECK(scene.unseals(old_state));
    const PlatformRecord record = take(read_record(scene.directory));
    CHECK(secret::count_epoch_up(scene.tpm.owner(), record.epoch_counter).value() == record.epoch + 1);
}
