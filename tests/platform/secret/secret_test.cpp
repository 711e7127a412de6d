// SPDX-License-Identifier: Apache-2.0
// Sealed secrets against a software TPM: what the owner's side computes without a TPM, a TPM accepts, and nobody but the right VM in the
// right state of the right platform gets anything. Each refusal names the step at which it came.
#include "tests/platform/secret/test_tpm.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace casemate;
using namespace casemate::secret;
using namespace casemate::secret_test;

namespace {

constexpr std::uint32_t nv_index = 0x01800001;

Digest filled(std::uint8_t byte) {
    Digest digest;
    digest.fill(byte);
    return digest;
}

/// A launched platform with an epoch counter, and its owner.
class Platform {
public:
    Platform() {
        tpm.launch();
        tpm.extend(17, filled(0x17));
        tpm.extend(18, filled(0x18));
        epoch = ensure_epoch_counter(tpm.owner(), nv_index).value();
        modulus = read_endorsement_key(tpm.owner()).value();
        banks_known = banks.add(measure::TPM_ALG_ID::SHA256);
        REQUIRE(banks_known);
    }
    [[nodiscard]] Circumstances now(const Digest& vm_id) { return {tpm.pcr(17), tpm.pcr(18), vm_id, nv_index, epoch}; }
    [[nodiscard]] Bytes approval(const Digest& vm_id, std::string_view vm = "disk0") { return approve(vm, now(vm_id), owner).value(); }
    [[nodiscard]] Bytes sealed(ByteView bytes, std::string_view vm = "disk0") {
        return seal({"volume-key", std::string{vm}, 0x81010001, modulus}, bytes, owner).value();
    }
    [[nodiscard]] measure::P256PublicKey owner_point() const { return measure::P256PublicKey::create(owner.public_key()).value(); }

    /// The step at which it was refused; none with the plaintext in `plain`.
    ReleaseStep release(const Bytes& message, const Bytes& approval_message, const Digest& vm_id) {
        const auto opened = open_secret(message, owner_point());
        const auto approval = read_approval(approval_message);
        REQUIRE(opened.ok());
        REQUIRE(approval.ok());
        Plaintext out;
        const auto result = secret::release(tpm, opened.value(), approval.value(), owner.public_key(), vm_id, banks, out);
        plain.assign(out.view().begin(), out.view().end());
        if (!result.ok()) UNSCOPED_INFO("the TPM said " << std::hex << result.error().fault.code);
        return result.ok() ? ReleaseStep::none : result.error().step;
    }

    TestTpm tpm;
    cose::Signer owner = cose::Signer::generate().value();
    std::uint64_t epoch = 0;
    Bytes modulus;
    measure::Banks banks;
    bool banks_known = false;
    Bytes plain;
};

const Digest vm_id = filled(0x22), newer_vm_id = filled(0x23);
const std::string secret_text = "a key of thirty-two bytes, or so";
const Bytes secret_bytes{secret_text.begin(), secret_text.end()};

bool contains(const Bytes& haystack, const Bytes& needle) {
    return std::search(haystack.begin(), haystack.end(), needle.begin(), needle.end()) != haystack.end();
}

} // namespace

TEST_CASE("the right VM gets its secret, again and again, and nothing stays in the TPM", "[secret]") {
    Platform platform;
    const auto sealed = platform.sealed(secret_bytes);
    const auto approval = platform.approval(vm_id);
    const std::size_t before = platform.tpm.loaded_handles();
    for (int round = 0; round < 5; ++round) {
        REQUIRE(platform.release(sealed, approval, vm_id) == ReleaseStep::none);
        CHECK(platform.plain == secret_bytes);
        CHECK(platform.tpm.pcr(22) == Digest{});
        CHECK(platform.tpm.loaded_handles() == before);
    }
}

TEST_CASE("secrets of one byte and of 128 bytes come back whole; none and 129 are refused with a sentence", "[secret]") {
    Platform platform;
    const auto approval = platform.approval(vm_id);
    for (const std::size_t size : {1, 128}) {
        const Bytes plain(size, 0xE5);
        REQUIRE(platform.release(platform.sealed(plain), approval, vm_id) == ReleaseStep::none);
        CHECK(platform.plain == plain);
    }
    const Destination where{"name", "disk0", 0x81010001, platform.modulus};
    CHECK(seal(where, {}, platform.owner).error() == SealError::empty);
    CHECK(seal(where, Bytes(129), platform.owner).error() == SealError::too_long);
    CHECK(seal({"", "disk0", 0x81010001, platform.modulus}, secret_bytes, platform.owner).error() == SealError::name);
    CHECK(seal({"name", "Disk 0", 0x81010001, platform.modulus}, secret_bytes, platform.owner).error() == SealError::name);
    CHECK(seal({"name", "disk0", 0x81010001, Bytes(255)}, secret_bytes, platform.owner).error() == SealError::modulus);
}

TEST_CASE("who listens on the TPM's bus does not see the secret, nor the same bytes twice", "[secret]") {
    Platform platform;
    const auto sealed = platform.sealed(secret_bytes);
    const auto approval = platform.approval(vm_id);
    REQUIRE(platform.release(sealed, approval, vm_id) == ReleaseStep::none);
    const Bytes first = std::exchange(platform.tpm.wire, {});
    REQUIRE(platform.release(sealed, approval, vm_id) == ReleaseStep::none);
    CHECK(first.size() > 2000);
    CHECK_FALSE(contains(first, secret_bytes));
    CHECK_FALSE(contains(first, Bytes(secret_bytes.begin(), secret_bytes.begin() + 6)));
    CHECK(first != platform.tpm.wire);
}

TEST_CASE("another VM does not get it, though it holds the approval", "[secret]") {
    Platform platform;
    CHECK(platform.release(platform.sealed(secret_bytes), platform.approval(vm_id), newer_vm_id) == ReleaseStep::authorize);
    CHECK(platform.plain.empty());
}

TEST_CASE("an approval for another VM's name opens nothing of this VM's", "[secret]") {
    Platform platform;
    CHECK(platform.release(platform.sealed(secret_bytes, "disk0"), platform.approval(vm_id, "net0"), vm_id) == ReleaseStep::unseal);
    CHECK(platform.plain.empty());
}

TEST_CASE("another platform cannot import it, in the same state and with the same image", "[secret]") {
    Platform here, there;
    const auto sealed = here.sealed(secret_bytes);
    there.owner = here.owner;
    CHECK(there.release(sealed, there.approval(vm_id), vm_id) == ReleaseStep::session); // the salt is for the other's key
    CHECK(there.plain.empty());
}

TEST_CASE("one owner's approval is worth nothing for another owner's policy", "[secret]") {
    Platform platform;
    const auto sealed = platform.sealed(secret_bytes);
    const auto other = cose::Signer::generate().value();
    const auto approval = approve("disk0", platform.now(vm_id), other).value();
    CHECK(platform.release(sealed, approval, vm_id) == ReleaseStep::approve);
}

TEST_CASE("at locality 0 the TPM does not even let the VM be named", "[secret]") {
    Platform platform;
    const auto sealed = platform.sealed(secret_bytes);
    const auto approval = platform.approval(vm_id);
    platform.tpm.set_locality(0);
    CHECK(platform.release(sealed, approval, vm_id) == ReleaseStep::identity);
    platform.tpm.set_locality(2);
    CHECK(platform.release(sealed, approval, vm_id) == ReleaseStep::none);
}

TEST_CASE("PCR 22 that somebody has extended before does no harm and no good", "[secret]") {
    Platform platform;
    const auto sealed = platform.sealed(secret_bytes);
    const auto approval = platform.approval(vm_id);
    platform.tpm.extend(22, measure::sha256(vm_id));
    CHECK(platform.release(sealed, approval, newer_vm_id) == ReleaseStep::authorize);
    platform.tpm.extend(22, filled(1));
    CHECK(platform.release(sealed, approval, vm_id) == ReleaseStep::none);
}

TEST_CASE("a launch that was measured otherwise does not get it, nor a power cycle without a launch", "[secret]") {
    Platform platform;
    const auto sealed = platform.sealed(secret_bytes);
    const auto approval = platform.approval(vm_id);
    platform.tpm.extend(18, filled(9));
    CHECK(platform.release(sealed, approval, vm_id) == ReleaseStep::authorize);
    platform.tpm.power_cycle();
    CHECK(platform.release(sealed, approval, vm_id) == ReleaseStep::authorize);
    platform.tpm.launch();
    platform.tpm.extend(17, filled(0x17));
    platform.tpm.extend(18, filled(0x18));
    CHECK(platform.release(sealed, approval, vm_id) == ReleaseStep::none);
}

TEST_CASE("a new image takes one more approval and no new sealing; both work until the epoch counter is counted up", "[secret]") {
    Platform platform;
    const auto sealed = platform.sealed(secret_bytes);
    const auto old_approval = platform.approval(vm_id);
    const auto new_approval = [&] {
        Circumstances next = platform.now(newer_vm_id);
        next.last_epoch += 1;
        return approve("disk0", next, platform.owner).value();
    }();
    CHECK(platform.release(sealed, old_approval, vm_id) == ReleaseStep::none);
    CHECK(platform.release(sealed, new_approval, newer_vm_id) == ReleaseStep::none);
    REQUIRE(count_epoch_up(platform.tpm.owner(), nv_index).ok());
    CHECK(platform.release(sealed, old_approval, vm_id) == ReleaseStep::circumstances);
    CHECK(platform.release(sealed, new_approval, newer_vm_id) == ReleaseStep::none);
    CHECK(platform.plain == secret_bytes);
}

TEST_CASE("an epoch counter that was deleted and made again does not go back", "[secret]") {
    Platform platform;
    const auto sealed = platform.sealed(secret_bytes);
    const auto approval = platform.approval(vm_id);
    REQUIRE(count_epoch_up(platform.tpm.owner(), nv_index).ok());
    REQUIRE(remove_epoch_counter(platform.tpm.owner(), nv_index).ok());
    CHECK(platform.release(sealed, approval, vm_id) == ReleaseStep::circumstances);
    CHECK(ensure_epoch_counter(platform.tpm.owner(), nv_index).value() > platform.epoch);
    CHECK(platform.release(sealed, approval, vm_id) == ReleaseStep::circumstances);
}

TEST_CASE("a flipped bit in any response releases nothing wrong and leaves nothing behind", "[secret]") {
    Platform platform;
    const auto sealed = platform.sealed(secret_bytes);
    const auto approval = platform.approval(vm_id);
    REQUIRE(platform.release(sealed, approval, vm_id) == ReleaseStep::none);
    const std::size_t before = platform.tpm.loaded_handles();
    const unsigned commands = std::exchange(platform.tpm.commands, 0);
    CHECK(commands == 18);
    unsigned refused = 0;
    for (unsigned which = 0; which < commands; ++which) {
        platform.tpm.spoil_response = static_cast<int>(which);
        const ReleaseStep step = platform.release(sealed, approval, vm_id);
        platform.tpm.spoil_response = -1;
        INFO(which << " ended at " << static_cast<int>(step));
        refused += step != ReleaseStep::none ? 1 : 0;
        CHECK((platform.plain.empty() || platform.plain == secret_bytes));
        CHECK(platform.tpm.loaded_handles() <= before);
        CHECK(platform.tpm.pcr(22) == Digest{});
    }
    CHECK(refused >= 10);
    REQUIRE(platform.release(sealed, approval, vm_id) == ReleaseStep::none);
}

TEST_CASE("without random numbers of the processor nothing is asked of the TPM", "[secret]") {
    Platform platform;
    const auto sealed = platform.sealed(secret_bytes);
    const auto approval = platform.approval(vm_id);
    platform.tpm.has_random = false;
    CHECK(platform.release(sealed, approval, vm_id) == ReleaseStep::random);
    CHECK(platform.tpm.commands == 0);
}

TEST_CASE("a sealed secret is refused before the TPM sees it when its owner did not sign it so", "[secret]") {
    Platform platform;
    const auto sealed = platform.sealed(secret_bytes);
    const auto owner = platform.owner_point();
    for (std::size_t i = 0; i < sealed.size(); i += 7) {
        Bytes changed = sealed;
        changed[i] ^= 0x10;
        CHECK_FALSE(open_secret(changed, owner).ok());
    }
    const auto other = cose::Signer::generate().value();
    const auto stranger = measure::P256PublicKey::create(other.public_key()).value();
    CHECK(open_secret(sealed, stranger).error() == MessageError::signature);
}
