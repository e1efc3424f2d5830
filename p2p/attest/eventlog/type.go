package eventlog

import "fmt"

// Type says what an event measured.
type Type uint32

// The types of the TCG PC Client Platform Firmware Profile.
const (
	PrebootCert          Type = 0x0
	PostCode             Type = 0x1
	NoAction             Type = 0x3 // a remark: extends nothing
	Separator            Type = 0x4
	Action               Type = 0x5
	EventTag             Type = 0x6
	CRTMContents         Type = 0x7
	CRTMVersion          Type = 0x8
	CPUMicrocode         Type = 0x9
	PlatformConfigFlags  Type = 0xa
	TableOfDevices       Type = 0xb
	CompactHash          Type = 0xc
	IPL                  Type = 0xd
	IPLPartitionData     Type = 0xe
	NonhostCode          Type = 0xf
	NonhostConfig        Type = 0x10
	NonhostInfo          Type = 0x11
	OmitBootDeviceEvents Type = 0x12
	PostCode2            Type = 0x13

	EFIVariableDriverConfig    Type = 0x8000_0001
	EFIVariableBoot            Type = 0x8000_0002
	EFIBootServicesApplication Type = 0x8000_0003
	EFIBootServicesDriver      Type = 0x8000_0004
	EFIRuntimeServicesDriver   Type = 0x8000_0005
	EFIGPTEvent                Type = 0x8000_0006
	EFIAction                  Type = 0x8000_0007
	EFIPlatformFirmwareBlob    Type = 0x8000_0008
	EFIHandoffTables           Type = 0x8000_0009
	EFIPlatformFirmwareBlob2   Type = 0x8000_000a
	EFIHandoffTables2          Type = 0x8000_000b
	EFIVariableBoot2           Type = 0x8000_000c
	EFIGPTEvent2               Type = 0x8000_000d
	EFIHCRTMEvent              Type = 0x8000_0010
	EFIVariableAuthority       Type = 0x8000_00e0
	EFISPDMFirmwareBlob        Type = 0x8000_00e1
	EFISPDMFirmwareConfig      Type = 0x8000_00e2
)

var typeNames = map[Type]string{
	PrebootCert:          "EV_PREBOOT_CERT",
	PostCode:             "EV_POST_CODE",
	NoAction:             "EV_NO_ACTION",
	Separator:            "EV_SEPARATOR",
	Action:               "EV_ACTION",
	EventTag:             "EV_EVENT_TAG",
	CRTMContents:         "EV_S_CRTM_CONTENTS",
	CRTMVersion:          "EV_S_CRTM_VERSION",
	CPUMicrocode:         "EV_CPU_MICROCODE",
	PlatformConfigFlags:  "EV_PLATFORM_CONFIG_FLAGS",
	TableOfDevices:       "EV_TABLE_OF_DEVICES",
	CompactHash:          "EV_COMPACT_HASH",
	IPL:                  "EV_IPL",
	IPLPartitionData:     "EV_IPL_PARTITION_DATA",
	NonhostCode:          "EV_NONHOST_CODE",
	NonhostConfig:        "EV_NONHOST_CONFIG",
	NonhostInfo:          "EV_NONHOST_INFO",
	OmitBootDeviceEvents: "EV_OMIT_BOOT_DEVICE_EVENTS",
	PostCode2:            "EV_POST_CODE2",

	EFIVariableDriverConfig:    "EV_EFI_VARIABLE_DRIVER_CONFIG",
	EFIVariableBoot:            "EV_EFI_VARIABLE_BOOT",
	EFIBootServicesApplication: "EV_EFI_BOOT_SERVICES_APPLICATION",
	EFIBootServicesDriver:      "EV_EFI_BOOT_SERVICES_DRIVER",
	EFIRuntimeServicesDriver:   "EV_EFI_RUNTIME_SERVICES_DRIVER",
	EFIGPTEvent:                "EV_EFI_GPT_EVENT",
	EFIAction:                  "EV_EFI_ACTION",
	EFIPlatformFirmwareBlob:    "EV_EFI_PLATFORM_FIRMWARE_BLOB",
	EFIHandoffTables:           "EV_EFI_HANDOFF_TABLES",
	EFIPlatformFirmwareBlob2:   "EV_EFI_PLATFORM_FIRMWARE_BLOB2",
	EFIHandoffTables2:          "EV_EFI_HANDOFF_TABLES2",
	EFIVariableBoot2:           "EV_EFI_VARIABLE_BOOT2",
	EFIGPTEvent2:               "EV_EFI_GPT_EVENT2",
	EFIHCRTMEvent:              "EV_EFI_HCRTM_EVENT",
	EFIVariableAuthority:       "EV_EFI_VARIABLE_AUTHORITY",
	EFISPDMFirmwareBlob:        "EV_EFI_SPDM_FIRMWARE_BLOB",
	EFISPDMFirmwareConfig:      "EV_EFI_SPDM_FIRMWARE_CONFIG",
}

func (t Type) String() string {
	if name, ok := typeNames[t]; ok {
		return name
	}
	return fmt.Sprintf("type_%#x", uint32(t))
}
