// SPDX-License-Identifier: Apache-2.0
// A TPM whose owner hierarchy has a password: with it everything works that works without one, from an empty TPM to a secret released by
// the hypervisor's code, which never needs it; without it, or with a wrong one, nothing is done, in a plain sentence, and nothing counts
// to the TPM's lock-out.
#include "attest/owner/epoch_counter.hpp"
#include "attest/owner/provisioning.hpp"
#include "attest/secret/nv_access.hpp"
#include "attest/secret/nv_storage.hpp"
#include "attest/verifier/bytes.hpp"
#include "tests/platform/secret/owner_hierarchy.hpp"
#include "tests/platform/secret/steps.hpp"
#include "tests/platform/secret/test_tpm.hpp"

#include <catch2/catch.hpp>
#include <fstream>
#include <sys/stat.h>

using namespace casemate;
using namespace casemate::owner;
using casemate::secret::OwnerTpm;
using casemate::secret_test::take;
using casemate::secret_test::TestTpm;

namespace {

const std::string good = "correct horse battery staple", wrong = "correct horse battery stapler";

class Line final : public TpmAccess {
public:
    Line(TestTpm& tpm, const std::string& password) : ask_{tpm.owner()} { take_password(keystore::Secret{password}); }
    Bytes exchange(ByteView command) override { return ask_(command); }

private:
    secret::TpmExchange ask_;
};

/// A TPM property [TPM2-P3 30.2].
std::uint32_t property(TestTpm& tpm, std::uint32_t which) {
    std::array<std::uint8_t, 12> parameters{0, 0, 0, 6};
    BigEndianWriter out{ByteSpan{parameters}.subspan(4)};
    for (const std::uint32_t word : {which, 1u}) out.u32(word);
    const auto response = secret::run(tpm.owner(), measure::TPM_CC::GetCapability, {}, parameters);
    return BigEndianReader{ByteView{response.value()}.last(4)}.u32();
}
constexpr std::uint32_t lockout_counter = 0x20E; // TPM_PT_LOCKOUT_COUNTER

struct Scene {
    Scene() { secret_test::set_hierarchy_password(tpm.owner(), measure::TPM_RH_OWNER, good); }
    /// The sentence with which it ended, or "".
    [[nodiscard]] std::string provision(const std::string& password) {
        Line line{tpm, password};
        const auto done = secret_test::forward(tpm_steps(directory, line));
        return done.ok() ? std::string{} : done.error().text;
    }
    void evict_endorsement_key() {
        constexpr std::uint8_t handle[] = {0x81, 1, 0, 1};
        REQUIRE(secret::tell(OwnerTpm{tpm.owner(), verifier::as_bytes(good)}, measure::TPM_CC::EvictControl, {measure::TPM_RH_OWNER, 0x81010001}, handle).ok());
    }

    model::StateDir scratch{std::move(model::StateDir::create()).value()};
    PlatformDirectory directory{take(PlatformDirectory::make(scratch.path() / "platform"))};
    TestTpm tpm;
};

bool has(const std::string& text, const char* words) { return text.find(words) != std::string::npos; }

} // namespace

TEST_CASE("with the owner hierarchy's password a TPM without keys is provisioned, counted up, given a message, and left again", "[owner-password]") {
    Scene scene;
    scene.evict_endorsement_key();
    CHECK(scene.provision(good).empty());
    const PlatformRecord record = take(read_record(scene.directory));
    Line line{scene.tpm, good};
    const OwnerTpm owner = line.asker();
    CHECK(take(count_epoch(scene.directory, line, {})).epoch == record.epoch + 1);
    const secret::Bytes message(2048, 7); // in the largest parts that are written
    REQUIRE(secret::store_message(owner, secret::bootstrap_index, message).ok());
    CHECK(secret::stored_message(scene.tpm.owner(), secret::bootstrap_index).value() == message); // who reads needs none
    REQUIRE(secret::remove_message(owner, secret::bootstrap_index).ok());
    CHECK(secret::try_owner_password(owner).ok());
    CHECK(secret::passwords_set(owner).value().owner);
    CHECK_FALSE(secret::passwords_set(owner).value().endorsement);
    auto steps = tpm_steps(scene.directory, line);
    REQUIRE((steps[2].undo().ok() && steps[1].undo().ok()));
    CHECK_FALSE(take(steps[1].done()));
}

TEST_CASE("the hypervisor releases a secret as before: it needs nothing of the owner hierarchy", "[owner-password]") {
    Scene scene;
    REQUIRE(scene.provision(good).empty());
    const PlatformRecord record = take(read_record(scene.directory));
    const cose::Signer owner = cose::Signer::generate().value();
    scene.tpm.launch();
    secret::Digest vm_id;
    vm_id.fill(0x22);
    const secret::Bytes plain{1, 2, 3};
    const auto sealed = secret::seal({"volume-key", "disk0", record.endorsement_key, record.modulus}, plain, owner).value();
    const auto approval = secret::approve("disk0", {scene.tpm.pcr(17), scene.tpm.pcr(18), vm_id, record.epoch_counter, record.epoch}, owner).value();
    const auto opened = secret::open_secret(sealed, measure::P256PublicKey::create(owner.public_key()).value());
    measure::Banks banks;
    REQUIRE((opened.ok() && banks.add(measure::TPM_ALG_ID::SHA256)));
    secret::Plaintext out;
    scene.tpm.wire.clear();
    REQUIRE(secret::release(scene.tpm, opened.value(), secret::read_approval(approval).value(), owner.public_key(), vm_id, banks, out).ok());
    CHECK(equal(out.view(), plain));
    const std::string wire{scene.tpm.wire.begin(), scene.tpm.wire.end()};
    CHECK_FALSE(has(wire, good.c_str()));
}

TEST_CASE("without the password, or with a wrong one, the TPM does nothing, and counts nothing to its lock-out", "[owner-password]") {
    Scene scene;
    CHECK(has(scene.provision(""), "has a password, and --owner-password-file names none"));
    CHECK(has(scene.provision(wrong), "the password of --owner-password-file is not its owner hierarchy's"));
    CHECK_FALSE(has(scene.provision(wrong), wrong.c_str()));
    CHECK(has(scene.provision(good.substr(0, good.size() - 1)), "is not its owner hierarchy's")); // a part of it is wrong too
    CHECK(secret::state_of_counter(scene.tpm.owner(), secret::epoch_counter_index).value() == secret::CounterState::absent);
    CHECK_FALSE(read_record(scene.directory).ok());
    CHECK(secret::is_password_refusal(secret::try_owner_password(OwnerTpm{scene.tpm.owner(), verifier::as_bytes(wrong)}).error()));
    CHECK(secret::is_password_refusal(secret::try_owner_password(scene.tpm.owner()).error()));
    for (int times = 0; times < 40; ++times) { // more than any TPM tolerates where it counts
        const auto stored = secret::store_message(OwnerTpm{scene.tpm.owner(), verifier::as_bytes(wrong)}, secret::bootstrap_index, secret::Bytes(10));
        REQUIRE_FALSE(stored.ok());
        CHECK(secret::is_password_refusal(stored.error()));
    }
    CHECK(property(scene.tpm, lockout_counter) == 0);
    REQUIRE(scene.provision(good).empty());
    Line other{scene.tpm, wrong};
    const auto counted = count_epoch(scene.directory, other, {});
    REQUIRE_FALSE(counted.ok());
    CHECK(has(counted.error().text, "not its owner hierarchy's"));
    CHECK(property(scene.tpm, lockout_counter) == 0);
}

TEST_CASE("a password of the endorsement hierarchy is refused at once: no secret could be released", "[owner-password]") {
    Scene scene;
    secret_test::set_hierarchy_password(scene.tpm.owner(), measure::TPM_RH_ENDORSEMENT, "x");
    CHECK(has(scene.provision(good), "endorsement hierarchy has a password"));
    CHECK(secret::state_of_counter(scene.tpm.owner(), secret::epoch_counter_index).value() == secret::CounterState::absent);
}

TEST_CASE("a password is the bytes of a private file, but for one newline at its end", "[owner-password]") {
    const model::StateDir scratch = std::move(model::StateDir::create()).value();
    const std::filesystem::path file = scratch.path() / "password";
    const auto read = [&](const std::string& bytes) {
        std::ofstream{file, std::ios::binary | std::ios::trunc} << bytes;
        ::chmod(file.c_str(), 0600);
        const auto password = keystore::read_password(file, secret::max_owner_password);
        const ByteView view = password.ok() ? password.value().bytes() : ByteView{};
        return std::string{view.begin(), view.end()};
    };
    CHECK(read("word\n") == "word");
    CHECK(read("word") == "word");
    CHECK(read("two\nlines\n\n") == "two\nlines\n");
    CHECK(read(std::string("\0\n\xff", 3)) == std::string("\0\n\xff", 3));
    CHECK(read(std::string(64, 'x')).size() == 64);
    CHECK(read(std::string(64, 'x') + "\n").size() == 64);
    for (const std::size_t size : {65, 256, 257, 300}) CHECK(read(std::string(size, 'x')).empty());
    CHECK(read("").empty());
    CHECK(read("\n").empty());
    REQUIRE(read("word") == "word");
    for (const mode_t mode : {0640, 0604, 0660}) {
        ::chmod(file.c_str(), mode);
        CHECK(has(keystore::read_password(file, 64).error(), "mode 0600"));
    }
    std::filesystem::create_symlink(file, scratch.path() / "link");
    CHECK_FALSE(keystore::read_password(scratch.path() / "link", 64).ok());
}
