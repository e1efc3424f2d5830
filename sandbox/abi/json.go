package abi

import "encoding/json"

// The JSON as the compiler writes it. Every key it writes is here, used or
// not, so that one it does not write is seen.

type jsonContract struct {
	SchemaVersion string `json:"abi_schema_version"`
	Name          string `json:"contract_name"`
	Author        string `json:"author"`
	Version       string `json:"version"`
	Description   string `json:"description"`

	Types           []jsonType        `json:"unique_types"`
	StructInstances []jsonStructOf    `json:"struct_instantiations"`
	AliasInstances  []jsonAliasOf     `json:"alias_instantiations"`
	Declarations    []jsonDeclaration `json:"declarations"`
	Storage         jsonStorage       `json:"storage"`
	Incoming        []jsonMessage     `json:"incoming_messages"`
	External        []jsonMessage     `json:"incoming_external"`
	Outgoing        []jsonMessage     `json:"outgoing_messages"`
	Events          []jsonMessage     `json:"emitted_events"`
	Getters         []jsonGetter      `json:"get_methods"`
	Errors          []jsonError       `json:"thrown_errors"`
	CompilerName    string            `json:"compiler_name"`
	CompilerVersion string            `json:"compiler_version"`
	Code            []byte            `json:"code_boc64"`
}

// jsonType is all kinds in one: which fields count depends on Kind.
type jsonType struct {
	Kind     string        `json:"kind"`
	N        int           `json:"n"`
	Inner    *int          `json:"inner_ty_idx"`
	Items    []int         `json:"items_ty_idx"`
	Key      *int          `json:"key_ty_idx"`
	Value    *int          `json:"value_ty_idx"`
	Enum     string        `json:"enum_name"`
	Struct   string        `json:"struct_name"`
	Alias    string        `json:"alias_name"`
	Args     []int         `json:"type_args_ty_idx"`
	Generic  string        `json:"name_t"`
	Variants []jsonVariant `json:"variants"`

	// What get methods have of it on the stack.
	StackType  int `json:"stack_type_id"`
	StackWidth int `json:"stack_width"`
}

type jsonVariant struct {
	Type       *int   `json:"variant_ty_idx"`
	PrefixNum  uint64 `json:"prefix_num"`
	PrefixLen  uint8  `json:"prefix_len"`
	Implicit   bool   `json:"is_prefix_implicit"`
	StackType  int    `json:"stack_type_id"`
	StackWidth int    `json:"stack_width"`
}

// jsonDeclaration is a struct, an alias or an enum.
type jsonDeclaration struct {
	Kind        string       `json:"kind"`
	Name        string       `json:"name"`
	Type        *int         `json:"ty_idx"`
	Params      []string     `json:"type_params"`
	Prefix      *jsonPrefix  `json:"prefix"`
	Fields      []jsonField  `json:"fields"`
	Target      *int         `json:"target_ty_idx"`
	EncodedAs   *int         `json:"encoded_as_ty_idx"`
	Members     []jsonMember `json:"members"`
	Custom      jsonCustom   `json:"custom_pack_unpack"`
	Description string       `json:"description"`
}

type jsonPrefix struct {
	Num  uint64 `json:"prefix_num"`
	Bits uint8  `json:"prefix_len"`
}

// jsonField is a field of a struct, or a parameter of a get method.
type jsonField struct {
	Name string `json:"name"`
	Type *int   `json:"ty_idx"`
	// Client, if set, is the type that clients should read the field as.
	Client      *int            `json:"client_ty_idx"`
	Description string          `json:"description"`
	Default     json.RawMessage `json:"default_value"`
}

type jsonMember struct {
	Name        string      `json:"name"`
	Value       json.Number `json:"value"` // a number, or one in quotes
	Description string      `json:"description"`
}

// jsonCustom tells that Tolk code reads or writes the type.
type jsonCustom struct {
	Pack   bool `json:"pack_to_builder"`
	Unpack bool `json:"unpack_from_slice"`
}

func (c jsonCustom) any() bool { return c.Pack || c.Unpack }

// jsonStructOf are the fields of a generic struct with its parameters filled
// in, jsonAliasOf the same of an alias.
type jsonStructOf struct {
	Type   *int       `json:"ty_idx"`
	Name   string     `json:"struct_name"`
	Fields []int      `json:"monomorphic_fields_ty_idx"`
	Custom jsonCustom `json:"custom_pack_unpack"`
}

type jsonAliasOf struct {
	Type   *int       `json:"ty_idx"`
	Name   string     `json:"alias_name"`
	Target *int       `json:"monomorphic_target_ty_idx"`
	Custom jsonCustom `json:"custom_pack_unpack"`
}

type jsonStorage struct {
	Type        *int   `json:"storage_ty_idx"`
	AtDeploy    *int   `json:"storage_at_deployment_ty_idx"`
	Description string `json:"description"`
}

type jsonMessage struct {
	Body        *int   `json:"body_ty_idx"`
	Description string `json:"description"`
}

type jsonGetter struct {
	ID          int32       `json:"tvm_method_id"`
	Name        string      `json:"name"`
	Params      []jsonField `json:"parameters"`
	Returns     *int        `json:"return_ty_idx"`
	Description string      `json:"description"`
}

type jsonError struct {
	Kind        string `json:"kind"`
	Name        string `json:"name"`
	Description string `json:"description"`
	Code        int32  `json:"err_code"`
}
