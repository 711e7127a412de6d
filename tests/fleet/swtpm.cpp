// SPDX-License-Identifier: Apache-2.0
// See swtpm.hpp.
#include "tests/fleet/swtpm.hpp"

#include <fstream>
#include <stdexcept>

#include <tss2/tss2_esys.h>
#include <tss2/tss2_mu.h>
#include <tss2/tss2_tcti_swtpm.h>

#include "dlaunch/measure/event_log.hpp"
#include "dlaunch/model/tpm_identity.hpp"
#include "tests/platform/agent/locality_two.hpp"

namespace casemate::fleet {
namespace {

constexpr TPM2_HANDLE rsa_certificate = 0x01c00002, ecc_certificate = 0x01c0000a; // [TCG-EK 2.2.1.4, 2.2.1.5]

const std::string& words_of(const model::Error& error) { return error.text; }
const std::string& words_of(const agent::Error& error) { return error.what; }

template <typename T, typename Error>
T take(Result<T, Error> result) {
    if (!result.ok()) throw std::runtime_error(words_of(result.error()));
    return std::move(result).value();
}

void demand(TSS2_RC code, const char* what) {
    if (code != TSS2_RC_SUCCESS) throw std::runtime_error(std::string{what} + " failed with " + std::to_string(code));
}

/// A connection with commands that an agent never needs.
class Maker {
public:
    explicit Maker(const std::string& address) {
        std::size_t size = 0;
        demand(Tss2_Tcti_Swtpm_Init(nullptr, &size, nullptr), "size of the transport");
        transport_.resize(size);
        demand(Tss2_Tcti_Swtpm_Init(tcti(), &size, address.c_str()), "connect to swtpm");
        demand(Esys_Initialize(&esys_, tcti(), nullptr), "Esys_Initialize");
    }
    ~Maker() {
        Esys_Finalize(&esys_);
        Tss2_Tcti_Finalize(tcti());
    }
    Maker(const Maker&) = delete;
    Maker& operator=(const Maker&) = delete;

    /// The public point of the primary key that this TPM2B_PUBLIC describes.
    [[nodiscard]] Bytes create_primary(ByteView description) const {
        TPM2B_PUBLIC wanted{};
        std::size_t offset = 0;
        demand(Tss2_MU_TPM2B_PUBLIC_Unmarshal(description.data(), description.size(), &offset, &wanted), "EK template");
        wanted.publicArea.unique.ecc = {};
        wanted.publicArea.unique.ecc.x.size = wanted.publicArea.unique.ecc.y.size = 32; // of zeros [TCG-EK B.3.4]
        const TPM2B_SENSITIVE_CREATE no_secret{};
        const TPM2B_DATA no_data{};
        const TPML_PCR_SELECTION no_pcr{};
        ESYS_TR object = ESYS_TR_NONE;
        TPM2B_PUBLIC* made = nullptr;
        demand(Esys_CreatePrimary(esys_, ESYS_TR_RH_ENDORSEMENT, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &no_secret, &wanted,
                                  &no_data, &no_pcr, &object, &made, nullptr, nullptr, nullptr), "TPM2_CreatePrimary");
        const TPMS_ECC_POINT& point = made->publicArea.unique.ecc;
        Bytes sec1{0x04};
        for (const TPM2B_ECC_PARAMETER* coordinate : {&point.x, &point.y})
            sec1.insert(sec1.end(), coordinate->buffer, coordinate->buffer + coordinate->size);
        Esys_Free(made);
        demand(Esys_FlushContext(esys_, object), "TPM2_FlushContext");
        return sec1;
    }
    void remove(TPM2_HANDLE handle) const {
        ESYS_TR index = ESYS_TR_NONE;
        demand(Esys_TR_FromTPMPublic(esys_, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &index), "TPM2_NV_ReadPublic");
        demand(Esys_NV_UndefineSpace(esys_, ESYS_TR_RH_PLATFORM, index, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE),
               "TPM2_NV_UndefineSpace");
    }
    void store(TPM2_HANDLE handle, ByteView contents) const {
        const TPM2B_AUTH no_auth{};
        TPM2B_NV_PUBLIC area{};
        area.nvPublic = {handle, TPM2_ALG_SHA256,
                         TPMA_NV_PPWRITE | TPMA_NV_PPREAD | TPMA_NV_OWNERREAD | TPMA_NV_AUTHREAD | TPMA_NV_PLATFORMCREATE | TPMA_NV_NO_DA,
                         {}, static_cast<UINT16>(contents.size())};
        ESYS_TR index = ESYS_TR_NONE;
        demand(Esys_NV_DefineSpace(esys_, ESYS_TR_RH_PLATFORM, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &no_auth, &area, &index),
               "TPM2_NV_DefineSpace");
        for (std::size_t at = 0; at < contents.size();) {
            TPM2B_MAX_NV_BUFFER part{};
            part.size = static_cast<UINT16>(std::min<std::size_t>(512, contents.size() - at));
            std::copy_n(contents.begin() + static_cast<std::ptrdiff_t>(at), part.size, part.buffer);
            demand(Esys_NV_Write(esys_, ESYS_TR_RH_PLATFORM, index, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &part,
                                 static_cast<UINT16>(at)), "TPM2_NV_Write");
            at += part.size;
        }
    }

private:
    // SAFETY: the library asked for as many bytes and makes its context in them.
    [[nodiscard]] TSS2_TCTI_CONTEXT* tcti() { return reinterpret_cast<TSS2_TCTI_CONTEXT*>(transport_.data()); }
    std::vector<std::uint8_t> transport_;
    ESYS_CONTEXT* esys_ = nullptr;
};

} // namespace

Swtpm::Swtpm(const std::filesystem::path& directory, EkKind kind, const Authority& authority)
    : directory_{directory}, reactor_{take(model::Reactor::create())} {
    take(model::ensure_tpm(directory_, "sha256,sha384"));
    start();
    if (kind == EkKind::ecc_p256) give_ecc_certificate(authority);
}

Swtpm::~Swtpm() { process_->stop(model::Millis{2000}); }

void Swtpm::start() {
    model::ChildSpec spec;
    spec.name = "swtpm";
    spec.command = {"swtpm", "socket", "--tpm2", "--tpmstate", "dir=" + directory_.string(), "--server",
                    "type=unixio," + address(), "--ctrl", "type=unixio,path=" + control(), "--flags", "startup-clear,not-need-init"};
    process_ = take(model::Child::start(*reactor_, std::move(spec), {}));
    const std::string ready = "for i in $(seq 300); do swtpm_ioctl --unix " + control() + " -g >/dev/null 2>&1 && exit 0; sleep 0.1; done; exit 1";
    take(model::run_tool({"swtpm_ioctl", {"sh", "-c", ready}, {}, {}}, model::Millis{60'000}));
}

/// As if the TPM had been made with this kind of key only.
void Swtpm::give_ecc_certificate(const Authority& authority) const {
    const Maker maker{address()};
    maker.remove(rsa_certificate);
    const Bytes point = maker.create_primary(SoftwareTpm{EkKind::ecc_p256}.ek_public());
    const verifier::PublicKey key = verifier::p256_key(point);
    maker.store(ecc_certificate, authority.certify(*key));
}

void Swtpm::launch(const LaunchModel& model, ByteView log) {
    const std::filesystem::path slb = directory_ / "slb.bin";
    const Bytes& bytes = model.slb();
    // SAFETY: char and std::uint8_t alias.
    std::ofstream{slb, std::ios::binary}.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    const std::string hash = "swtpm_ioctl --unix " + control() + " -h - < " + slb.string();
    take(model::run_tool({"swtpm_ioctl", {"sh", "-c", hash}, {}, {}}, model::Millis{60'000}));
    extended_ = 1; // the first event is that measurement
    extend(log);
}

void Swtpm::extend(ByteView log) {
    agent_test::LocalityTwo locality{address()};
    auto reader = measure::EventLogReader::open(log);
    std::size_t number = 0;
    for (; reader.ok() && !reader.value().at_end(); ++number) {
        const auto event = reader.value().next();
        if (!event.ok()) throw std::runtime_error("the fleet's log does not parse");
        if (number >= extended_) locality.extend(event.value().pcr, event.value().digests);
    }
    extended_ = number;
}

agent::Tpm Swtpm::open() const { return take(agent::Tpm::create("swtpm:" + address())); }

} // namespace casemate::fleet
