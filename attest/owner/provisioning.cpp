// SPDX-License-Identifier: Apache-2.0
// See provisioning.hpp.
#include "attest/owner/provisioning.hpp"

#include "attest/secret/nv_storage.hpp"
#include "attest/verifier/encoding.hpp"
#include "policy/model/bundle.hpp"
#include "policy/model/payload.hpp"

#include <algorithm>
#include <fcntl.h>
#include <fstream>
#include <memory>
#include <set>
#include <span>
#include <sstream>
#include <unistd.h>

namespace casemate::owner {
namespace {

namespace fs = std::filesystem;

constexpr const char* launcher = "EFI/BOOT/BOOTX64.EFI"; // what firmware boots from a medium without boot entries [UEFI 3.5.1.1]

Outcome<PlatformRecord> look_at(TpmAccess& tpm) {
    PlatformRecord record;
    const auto modulus = secret::read_endorsement_key(tpm.asker(), record.endorsement_key);
    if (!modulus.ok()) return tpm.refusal("has no RSA 2048 endorsement key by template L-1 at 81010001h", modulus.error());
    const auto certificate = secret::read_ek_certificate(tpm.asker());
    if (!certificate.ok()) return tpm.refusal("does not give its endorsement key's certificate", certificate.error());
    const auto epoch = secret::read_epoch(tpm.asker(), record.epoch_counter);
    if (!epoch.ok()) return tpm.refusal("does not give its epoch counter", epoch.error());
    record.modulus = modulus.value();
    record.ek_certificate = certificate.value();
    record.epoch = epoch.value();
    return record;
}

/// With a password there, the hypervisor could never use the endorsement key, and so release no secret.
Outcome<bool> has_endorsement_key(TpmAccess& tpm) {
    const auto passwords = secret::passwords_set(tpm.asker());
    if (!passwords.ok()) return tpm.refusal("does not say which of its hierarchies have passwords", passwords.error());
    if (passwords.value().endorsement) return fail("the TPM's endorsement hierarchy has a password: take it away first, the hypervisor releases secrets without one");
    return secret::read_endorsement_key(tpm.asker()).ok();
}

Step endorsement_key_step(TpmAccess& tpm) {
    return {"endorsement key at 81010001h", [&tpm] { return has_endorsement_key(tpm); },
            [&tpm]() -> Status<Error> {
                const auto made = secret::ensure_endorsement_key(tpm.asker());
                return made.ok() ? Status<Error>{Done{}} : tpm.refusal("makes no endorsement key", made.error());
            },
            {}, {}};
}

Step counter_step(TpmAccess& tpm) {
    constexpr std::uint32_t index = secret::epoch_counter_index;
    return {"epoch counter at 01800001h",
            [&tpm]() -> Outcome<bool> {
                const auto state = secret::state_of_counter(tpm.asker(), index);
                if (!state.ok()) return tpm.refusal("does not say what is at 01800001h", state.error());
                if (state.value() == secret::CounterState::foreign)
                    return fail("something else than an epoch counter is at the TPM's index 01800001h: its owner must remove it first");
                return state.value() == secret::CounterState::good;
            },
            [&tpm]() -> Status<Error> {
                const auto made = secret::ensure_epoch_counter(tpm.asker(), index);
                return made.ok() ? Status<Error>{Done{}} : tpm.refusal("makes no epoch counter", made.error());
            },
            {},
            [&tpm]() -> Status<Error> {
                for (const std::uint32_t each : {secret::bootstrap_index, secret::next_bootstrap_index})
                    (void)secret::remove_message(tpm.asker(), each).ok(); // what is not ours stays
                const auto gone = secret::remove_epoch_counter(tpm.asker(), index);
                return gone.ok() ? Status<Error>{Done{}} : tpm.refusal("does not remove the epoch counter", gone.error());
            }};
}

/// Another TPM's record is never replaced: the secrets beside it are that platform's.
Outcome<bool> is_recorded(const PlatformDirectory& directory, TpmAccess& tpm) {
    if (!TRY(directory.read("platform.json"))) return false;
    const PlatformRecord kept = TRY(read_record(directory));
    const auto seen = look_at(tpm);
    if (!seen.ok()) return false; // an earlier step is not done yet
    if (kept.modulus != seen.value().modulus) return fail(directory.path().string() + " is another platform's: take a directory of its own");
    return text_of(kept) == text_of(seen.value());
}

Status<Error> forget(const PlatformDirectory& directory) {
    for (const char* name : {"secrets.json", "platform.json"}) TRY(directory.remove(name));
    return Done{};
}

Step record_step(const PlatformDirectory& directory, TpmAccess& tpm) {
    return {"record of the platform (platform.json)", [&]() { return is_recorded(directory, tpm); },
            [&]() -> Status<Error> { return write_record(directory, TRY(look_at(tpm))); },
            [&]() -> Outcome<bool> { return TRY(directory.read("platform.json")).has_value(); }, [&] { return forget(directory); }};
}

std::optional<std::string> contents(const fs::path& file) {
    std::ifstream stream{file, std::ios::binary};
    if (!stream) return std::nullopt;
    return std::string{std::istreambuf_iterator<char>{stream}, {}};
}

std::string digest_of(const std::string& bytes) { return verifier::to_hex(measure::sha256(verifier::as_bytes(bytes))); }

Outcome<std::string> bytes_of(const BootFile& file) {
    if (file.source.empty()) return file.text;
    auto bytes = contents(file.source);
    if (!bytes) return fail("cannot read " + file.source.string());
    return std::move(*bytes);
}

bool write_and_sync(const fs::path& file, const std::string& bytes) {
    std::ofstream stream{file, std::ios::binary | std::ios::trunc};
    stream << bytes;
    stream.close();
    const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    const bool safe = stream && descriptor >= 0 && ::fsync(descriptor) == 0;
    if (descriptor >= 0) ::close(descriptor);
    return safe;
}

/// FAT has no atomic replacement that every firmware's driver honours, but rename() within a directory is one step for Linux.
Status<Error> install(const BootFile& file, const fs::path& target) {
    const std::string bytes = TRY(bytes_of(file));
    std::error_code problem;
    fs::create_directories(target.parent_path(), problem);
    const fs::path aside = target.string() + ".new";
    const bool written = write_and_sync(aside, bytes);
    if (written) fs::rename(aside, target, problem);
    if (!written || problem) return fail("cannot write " + target.string());
    return Done{};
}

/// With the folders in `esp` that are empty then.
Status<Error> take_away(const fs::path& target, const fs::path& esp) {
    std::error_code problem;
    fs::remove(target, problem);
    if (problem) return fail("cannot remove " + target.string() + ": " + problem.message());
    for (fs::path folder = target.parent_path(); folder != esp && fs::is_empty(folder, problem); folder = folder.parent_path())
        fs::remove(folder, problem);
    return Done{};
}

Step boot_step(const fs::path& esp, const BootFile& file) {
    const fs::path target = esp / file.target;
    return {file.target.string(),
            [file, target]() -> Outcome<bool> { return contents(target) == TRY(bytes_of(file)); },
            [file, target] { return install(file, target); }, [target]() -> Outcome<bool> { return fs::exists(target); },
            [target, esp] { return take_away(target, esp); }};
}

constexpr const char* our_launchers = "launchers.txt"; // SHA-256 of each launcher that was installed, a line each

Outcome<bool> is_ours(const PlatformDirectory& directory, const fs::path& file) {
    const auto bytes = contents(file);
    if (!bytes) return false;
    const std::string known = TRY(directory.read(our_launchers)).value_or("");
    return known.find(digest_of(*bytes)) != std::string::npos;
}

/// Another's boot loader stays where it is; ours of an older build is replaced.
Step launcher_step(const PlatformDirectory& directory, const fs::path& esp, const BootFile& file) {
    Step step = boot_step(esp, file);
    const fs::path target = esp / file.target;
    step.work = [&directory, file, target]() -> Status<Error> {
        if (fs::exists(target) && !TRY(is_ours(directory, target)))
            return fail(target.string() + " is another boot loader: move it away, or to a boot entry of its own, first");
        const std::string known = TRY(directory.read(our_launchers)).value_or("");
        const std::string bytes = TRY(bytes_of(file));
        TRY(directory.replace(our_launchers, known + digest_of(bytes) + "\n"));
        return install(file, target);
    };
    step.present = [&directory, target] { return is_ours(directory, target); };
    return step;
}

/// Kernels and initial RAM file systems that the policy names, sorted.
Outcome<std::set<std::string>> images_of(const fs::path& bundle_file) {
    const auto text = contents(bundle_file);
    if (!text) return fail("cannot read " + bundle_file.string() + ": run ./casemate build first");
    const Bytes bytes{text->begin(), text->end()};
    const auto bundle = policy::open_bundle(bytes);
    const auto parsed = std::make_unique<policy::Policy>();
    const bool good = bundle.ok() && policy::verify_bundle(bundle.value()).ok() && policy::parse_policy(bundle.value().payload(), *parsed).ok();
    if (!good) return fail(bundle_file.string() + " is no policy signed by its owner");
    std::set<std::string> images;
    for (const policy::Vm& vm : std::span{parsed->vms}.first(parsed->vm_count))
        for (const std::string_view name : {vm.kernel.view(), vm.initrd.view()}) images.emplace(name);
    return images;
}

} // namespace

Outcome<bool> complete(const Step& step) {
    if (TRY(step.done())) return true;
    TRY(step.work());
    if (!TRY(step.done())) return fail(step.what + ": it was done, and is not there");
    return false;
}

Outcome<bool> can_be_taken_back(const Step& step) {
    if (!step.undo) return false;
    return step.present ? step.present() : step.done();
}

Outcome<bool> take_back(const Step& step) {
    const bool is = TRY(can_be_taken_back(step));
    if (is) TRY(step.undo());
    return is;
}

std::optional<std::string> platform_of(TpmAccess& tpm) {
    PlatformRecord record;
    const auto modulus = secret::read_endorsement_key(tpm.asker(), record.endorsement_key);
    if (!modulus.ok()) return std::nullopt;
    record.modulus = modulus.value();
    return record.platform_id();
}

std::vector<Step> tpm_steps(const PlatformDirectory& directory, TpmAccess& tpm) {
    return {endorsement_key_step(tpm), counter_step(tpm), record_step(directory, tpm)};
}

std::vector<Step> boot_steps(const PlatformDirectory& directory, const fs::path& esp, const std::vector<BootFile>& files) {
    std::vector<Step> steps;
    for (const BootFile& file : files)
        steps.push_back(file.target == launcher ? launcher_step(directory, esp, file) : boot_step(esp, file));
    return steps;
}

Outcome<std::vector<BootFile>> boot_files_of(const fs::path& build) {
    std::string list = "slb = slb.bin\nhypervisor = hypervisor.elf\npolicy = policy.cbor\n";
    const fs::path there = "casemate";
    std::vector<BootFile> files{{there / "slb.bin", build / "bin/slb.bin"},
                                {there / "hypervisor.elf", build / "bin/hypervisor.elf"},
                                {there / "policy.cbor", build / "policy.cbor"}};
    for (const std::string& image : TRY(images_of(build / "policy.cbor"))) {
        files.push_back({there / image, build / "images" / image});
        list += "image = " + image + "\n";
    }
    files.push_back({there / "launch.cfg", {}, list});
    files.push_back({launcher, build / "bin/dlaunch.efi"}); // last: until then the machine boots what it booted before
    return files;
}

} // namespace casemate::owner
