// SPDX-License-Identifier: Apache-2.0
// The owner's files of a platform: directory, record, book of secrets. The TPM's part is tested in tests/platform/secret.
#include "attest/owner/reference_state.hpp"
#include "attest/owner/secret_book.hpp"
#include "attest/verifier/encoding.hpp"
#include "dlaunch/model/state_dir.hpp"
#include "policy/model/bundle.hpp"
#include "tests/unit/policy_sample.hpp"

#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

using namespace casemate;
using namespace casemate::owner;

namespace {

template <typename T>
T take(Outcome<T> outcome) {
    if (!outcome.ok()) FAIL(outcome.error().text);
    return std::move(outcome).value();
}

class Scene {
public:
    Scene() : scratch{std::move(model::StateDir::create()).value()} {
        for (std::size_t i = 0; i < record.modulus.size(); ++i) record.modulus[i] = static_cast<std::uint8_t>(i * 7 + 129);
        record.modulus.back() |= 1; // no RSA modulus is even
    }
    [[nodiscard]] std::filesystem::path path() const { return scratch.path() / "platform"; }
    /// A state of a VM that is its own for each `byte`.
    [[nodiscard]] static secret::Circumstances state(std::uint8_t byte, std::uint64_t last_epoch) {
        secret::Circumstances at;
        at.vm_id.fill(byte);
        at.nv_index = 0x01800001;
        at.last_epoch = last_epoch;
        return at;
    }

    model::StateDir scratch;
    PlatformRecord record{.modulus = Bytes(256), .ek_certificate = {0x30, 0x82, 0, 0}, .epoch = 3};
    cose::Signer key = cose::Signer::generate().value();
};

const Bytes value{'k', 'e', 'y'};

void write_raw(const std::filesystem::path& file, const std::string& text) { std::ofstream{file, std::ios::trunc} << text; }

} // namespace

TEST_CASE("a platform's directory is its owner's alone, and one command's at a time", "[owner]") {
    Scene scene;
    const auto absent = PlatformDirectory::open(scene.path());
    REQUIRE_FALSE(absent.ok());
    CHECK(absent.error().text.find("provision it first") != std::string::npos);
    {
        const auto directory = PlatformDirectory::make(scene.path());
        REQUIRE(directory.ok());
        const auto second = PlatformDirectory::open(scene.path());
        REQUIRE_FALSE(second.ok());
        CHECK(second.error().text.find("another command") != std::string::npos);
    }
    CHECK(PlatformDirectory::open(scene.path()).ok());
    REQUIRE(::chmod(scene.path().c_str(), 0750) == 0);
    const auto open_to_others = PlatformDirectory::open(scene.path());
    REQUIRE_FALSE(open_to_others.ok());
    CHECK(open_to_others.error().text.find("chmod go-rwx") != std::string::npos);
}

TEST_CASE("a file is replaced whole, what a cut write left behind does no harm, and links are not followed", "[owner]") {
    Scene scene;
    const auto directory = take(PlatformDirectory::make(scene.path()));
    CHECK_FALSE(take(directory.read("a")).has_value());
    write_raw(scene.path() / "a.new", "half of a fi"); // a power cut, earlier
    REQUIRE(directory.replace("a", "one").ok());
    REQUIRE(directory.replace("a", "two").ok());
    CHECK(take(directory.read("a")) == "two");
    struct stat status {};
    REQUIRE(::stat((scene.path() / "a").c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
    REQUIRE(::symlink("/etc/hostname", (scene.path() / "b").c_str()) == 0);
    CHECK_FALSE(directory.read("b").ok());
    write_raw(scene.path() / "large", std::string((1 << 20) + 1, 'x'));
    CHECK_FALSE(directory.read("large").ok());
    REQUIRE(directory.remove("a").ok());
    REQUIRE(directory.remove("a").ok());
    CHECK_FALSE(take(directory.read("a")).has_value());
}

TEST_CASE("a platform's record has one spelling", "[owner]") {
    Scene scene;
    const auto directory = take(PlatformDirectory::make(scene.path()));
    REQUIRE(write_record(directory, scene.record).ok());
    const PlatformRecord read = take(read_record(directory));
    CHECK(read.modulus == scene.record.modulus);
    CHECK(read.ek_certificate == scene.record.ek_certificate);
    CHECK(read.epoch == 3);
    const std::string good = text_of(scene.record);
    const auto with = [&](const char* pointer, const nlohmann::json& member) {
        auto object = nlohmann::json::parse(good);
        object[nlohmann::json::json_pointer{pointer}] = member;
        return object.dump(1) + "\n";
    };
    for (const std::string& bad :
         {std::string{}, std::string{"{}"}, good + " ", good.substr(1), with("/version", 2), with("/further", 1),
          with("/endorsement_key/modulus", "00"), with("/endorsement_key/handle", "8101"), with("/endorsement_key/handle", "8101000g"),
          with("/epoch_counter/value", 0), with("/epoch_counter/value", -1), with("/epoch_counter/value", 1.5),
          with("/epoch_counter/value", 1e30), with("/epoch_counter/index", 7), with("/platform_id", std::string(64, '0'))}) {
        INFO(bad);
        write_raw(scene.path() / "platform.json", bad);
        CHECK_FALSE(read_record(directory).ok());
    }
}

TEST_CASE("a book of secrets is read as it was written, and says nothing of what they are", "[owner]") {
    Scene scene;
    SecretBook book;
    CHECK_FALSE(take(book.put(scene.record, "net0", "tunnel", value, scene.key)));
    CHECK_FALSE(take(book.put(scene.record, "disk0", "volume", value, scene.key)));
    CHECK(take(book.put(scene.record, "net0", "tunnel", value, scene.key)));
    CHECK(take(book.approve(scene.record, "net0", Scene::state(1, 3), scene.key)));
    CHECK_FALSE(take(book.approve(scene.record, "net0", Scene::state(1, 3), scene.key)));
    CHECK(take(book.approve(scene.record, "net0", Scene::state(2, 4), scene.key)));
    const std::string text = take(book.text());
    const SecretBook again = take(SecretBook::parse(text));
    CHECK(take(again.text()) == text);
    REQUIRE(again.secrets().size() == 2);
    CHECK(again.secrets()[0].vm == "disk0");
    CHECK(again.approvals("disk0").empty());
    REQUIRE(again.approvals("net0").size() == 2);
    CHECK(again.approvals("net0")[0].last_epoch == 4); // the newest first
    for (const char* bad : {"{}", "[]", "{\"secrets\": 1}", "{\"secrets\": [{}]}",
                            "{\"secrets\": [{\"vm\": \"a\", \"name\": \"b\", \"sealed\": \"\", \"approvals\": []}]}",
                            "{\"secrets\": [{\"vm\": \"a\", \"name\": \"b\", \"sealed\": \"Zg==\", \"approvals\": [\"Zg==\"]}]}"})
        CHECK_FALSE(SecretBook::parse(bad).ok());
}

TEST_CASE("an approval for one VM is not taken for another's", "[owner]") {
    Scene scene;
    SecretBook book;
    (void)take(book.put(scene.record, "net0", "tunnel", value, scene.key));
    (void)take(book.approve(scene.record, "net0", Scene::state(1, 3), scene.key));
    auto object = nlohmann::json::parse(take(book.text()));
    object["secrets"][0]["vm"] = "disk0";
    CHECK_FALSE(SecretBook::parse(object.dump()).ok());
}

TEST_CASE("approvals that an epoch has ended make room, live ones are never pushed out", "[owner]") {
    Scene scene;
    SecretBook book;
    for (std::uint8_t i = 0; i < max_approvals; ++i) CHECK(take(book.approve(scene.record, "net0", Scene::state(i, 3), scene.key)));
    const auto full = book.approve(scene.record, "net0", Scene::state(9, 4), scene.key);
    REQUIRE_FALSE(full.ok());
    CHECK(full.error().text.find("epoch bump") != std::string::npos);
    scene.record.epoch = 4;
    CHECK(take(book.approve(scene.record, "net0", Scene::state(9, 4), scene.key)));
    CHECK(book.approvals("net0").size() == 1);
}

TEST_CASE("what cannot be sealed is refused with a sentence, and nothing is lost", "[owner]") {
    Scene scene;
    SecretBook book;
    (void)take(book.put(scene.record, "net0", "tunnel", value, scene.key));
    CHECK_FALSE(book.put(scene.record, "net0", "tunnel", Bytes(129), scene.key).ok());
    CHECK_FALSE(book.put(scene.record, "net0", "tunnel", {}, scene.key).ok());
    CHECK_FALSE(book.put(scene.record, "net0", "../etc", value, scene.key).ok());
    CHECK_FALSE(book.put(scene.record, "net 0", "tunnel", value, scene.key).ok());
    CHECK(book.secrets().size() == 1);
    CHECK_FALSE(book.remove("net0", "other"));
    CHECK(book.remove("net0", "tunnel"));
    CHECK(book.secrets().empty());
    for (int i = 0; i < 200; ++i) (void)take(book.put(scene.record, "net0", "n" + std::to_string(i), value, scene.key));
    CHECK_FALSE(book.text().ok()); // more than the management line takes
}

TEST_CASE("the state to approve is read out of reference values, or its lack is named", "[owner]") {
    const std::string digest(64, 'a');
    const nlohmann::json good{{"pcrs", {{"sha256", {{"17", digest}, {"18", digest}}}}},
                              {"vms", {{{"name", "net0"}, {"vm_id", digest}}, {{"name", "disk0"}, {"vm_id", "zz"}}}}};
    CHECK(take(circumstances_of(good, "net0")).vm_id[0] == 0xaa);
    const auto unknown = circumstances_of(good, "net1");
    REQUIRE_FALSE(unknown.ok());
    CHECK(unknown.error().text.find("net0, disk0") != std::string::npos);
    CHECK_FALSE(circumstances_of(good, "disk0").ok());
    CHECK_FALSE(expect_receiver(good, "net0", "key").ok()); // no policy in it
    for (const char* pointer : {"/pcrs/sha256/17", "/pcrs/sha256/18", "/pcrs", "/vms"}) {
        auto bad = good;
        bad[nlohmann::json::json_pointer{pointer}] = 7;
        CHECK_FALSE(circumstances_of(bad, "net0").ok());
    }
}

TEST_CASE("only a secret that the policy gives to a driver VM is sealed to it", "[owner]") {
    policy::Policy policy = test::sample_policy();
    policy.vms[1].secret_count = 1;
    test::set(policy.vms[1].secrets[0], "tunnel");
    const Bytes payload = test::encoded(policy);
    Scene scene;
    Bytes buffer(cose::max_protected);
    const auto bundle = scene.key.sign_message(policy::encode_bundle_header(scene.key.public_key(), buffer), payload);
    REQUIRE(bundle.ok());
    const nlohmann::json reference{{"policy", {{"bundle", verifier::to_base64(bundle.value())}}}};
    CHECK(expect_owner(reference, scene.key.public_key()).ok());
    CHECK_FALSE(expect_owner(reference, cose::Signer::generate().value().public_key()).ok());
    CHECK_FALSE(expect_owner(nlohmann::json::object(), scene.key.public_key()).ok());
    CHECK(expect_receiver(reference, "net0", "tunnel").ok());
    CHECK_FALSE(expect_receiver(reference, "net0", "volume").ok());
    CHECK_FALSE(expect_receiver(reference, "agent", "tunnel").ok());
    CHECK_FALSE(expect_receiver(reference, "net1", "tunnel").ok());
}
