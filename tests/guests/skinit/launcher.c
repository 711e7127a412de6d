/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The least UEFI application that executes SKINIT: copies the secure loader block that is built into it to
 * memory, sends INIT to the other processors and launches. VARIANT says what it does wrong on purpose; the
 * firmware's own handler then prints the exception on COM1. Run by casemate-model-test.
 */
#include <efi.h>
#include <efilib.h>

enum variant { GOOD, NO_SVME, RUNNING_PROCESSOR };

extern const UINT8 slb_image[], slb_image_end[];
enum { slb_region = 64 * 1024 };

static void quiet_processors(void) {
    volatile UINT32* icr = (volatile UINT32*)0xFEE00300;
    *icr = 0x000C4500; /* INIT, assert, all but self */
    uefi_call_wrapper(BS->Stall, 1, 10000);
}

static UINT64 read_efer(void) {
    UINT32 low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(0xC0000080));
    return (UINT64)high << 32 | low;
}

static void enable_svm(void) {
    const UINT64 efer = read_efer() | 1 << 12;
    __asm__ volatile("wrmsr" : : "a"((UINT32)efer), "d"((UINT32)(efer >> 32)), "c"(0xC0000080));
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE* system) {
    InitializeLib(image, system);
    EFI_PHYSICAL_ADDRESS memory = 0x7FFFFFFF; /* anywhere below */
    if (uefi_call_wrapper(BS->AllocatePages, 4, AllocateMaxAddress, EfiLoaderData, 2 * slb_region / 4096, &memory)
        != EFI_SUCCESS)
        return EFI_OUT_OF_RESOURCES;
    UINT8* slb = (UINT8*)((memory + slb_region - 1) & ~(EFI_PHYSICAL_ADDRESS)(slb_region - 1));
    CopyMem(slb, (void*)slb_image, slb_image_end - slb_image);
    Print(L"@launcher variant=%d slb=%lx\n", VARIANT, (UINT64)slb);
    if (VARIANT != NO_SVME) enable_svm();
    if (VARIANT != RUNNING_PROCESSOR) quiet_processors();
    __asm__ volatile("cli; .byte 0x0F, 0x01, 0xDE" : : "a"((UINT32)(UINTN)slb) : "memory");
    return EFI_ABORTED;
}
