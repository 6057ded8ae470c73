//! From the bytes of a function to instructions in words.
//! Bytes that are no instruction (constants after the code, or a damaged file) are shown as bytes.

use super::artifact::Machine;
use iced_x86::{Decoder, DecoderOptions, FlowControl, Formatter, GasFormatter};
use yaxpeax_arch::{Decoder as _, U8Reader};
use yaxpeax_arm::armv8::a64::{InstDecoder, Opcode, Operand};

/// An instruction.
#[derive(Clone, Debug, PartialEq)]
pub struct Instruction {
    /// Its distance from the beginning of the code of all functions.
    pub address: u64,
    /// How many bytes it has.
    pub length: usize,
    /// It, in words.
    pub text: String,
    /// Where it may jump to.
    pub target: Option<u64>,
}

/// Disassembles a function that begins at `address`.
pub fn disassemble(machine: Machine, address: u64, code: &[u8]) -> Vec<Instruction> {
    match machine {
        Machine::X86_64 => x86_64(address, code),
        Machine::Aarch64 => aarch64(address, code),
    }
}

fn x86_64(address: u64, code: &[u8]) -> Vec<Instruction> {
    let mut decoder = Decoder::with_ip(64, code, address, DecoderOptions::NONE);
    let mut formatter = GasFormatter::new();
    let options = formatter.options_mut();
    options.set_uppercase_hex(false);
    options.set_branch_leading_zeros(false);
    options.set_small_hex_numbers_in_decimal(false);
    options.set_space_after_operand_separator(true);
    options.set_first_operand_char_index(8);
    let mut instructions = Vec::new();
    while decoder.can_decode() {
        let instruction = decoder.decode();
        let begin = usize::try_from(instruction.ip() - address).unwrap_or(usize::MAX);
        let bytes = code
            .get(begin..begin + instruction.len())
            .unwrap_or_default();
        let mut text = String::new();
        if instruction.is_invalid() {
            text = format!(".byte   {}", hex(bytes, ", 0x"));
        } else {
            formatter.format(&instruction, &mut text);
        }
        let jumps = matches!(
            instruction.flow_control(),
            FlowControl::ConditionalBranch | FlowControl::UnconditionalBranch
        );
        let target = (jumps && !instruction.is_invalid()).then(|| instruction.near_branch_target());
        instructions.push(Instruction {
            address: instruction.ip(),
            length: instruction.len(),
            text,
            target,
        });
    }
    instructions
}

fn aarch64(address: u64, code: &[u8]) -> Vec<Instruction> {
    let decoder = InstDecoder::default();
    let mut instructions = Vec::new();
    for (index, word) in code.chunks(4).enumerate() {
        let address = address + 4 * index as u64;
        let decoded = decoder.decode(&mut U8Reader::new(word));
        let Ok(instruction) = decoded else {
            let text = format!(".byte 0x{}", hex(word, ", 0x"));
            instructions.push(Instruction {
                address,
                length: word.len(),
                text,
                target: None,
            });
            continue;
        };
        let mut text = instruction.to_string();
        let mut target = None;
        let distance = instruction
            .operands
            .iter()
            .find_map(|operand| match operand {
                Operand::PCOffset(distance) => Some((*distance, operand.to_string())),
                _ => None,
            });
        // What is relative in the instruction is easier to follow as an address.
        if let Some((distance, shown)) = distance {
            let is_page = instruction.opcode == Opcode::ADRP;
            let from = if is_page { address & !0xfff } else { address };
            let to = from.wrapping_add_signed(distance);
            text = text.replace(&shown, &format!("{to:#x}"));
            target = Some(to).filter(|_| {
                !is_page && instruction.opcode != Opcode::ADR && instruction.opcode != Opcode::BL
            });
        }
        instructions.push(Instruction {
            address,
            length: word.len(),
            text,
            target,
        });
    }
    instructions
}

/// Bytes in hexadecimal, with something between them.
pub fn hex(bytes: &[u8], between: &str) -> String {
    bytes
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<Vec<_>>()
        .join(between)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(machine: Machine, address: u64, code: &[u8]) -> Vec<(String, Option<u64>)> {
        let instructions = disassemble(machine, address, code);
        assert_eq!(
            instructions
                .iter()
                .map(|instruction| instruction.length)
                .sum::<usize>(),
            code.len()
        );
        instructions
            .into_iter()
            .map(|instruction| (instruction.text, instruction.target))
            .collect()
    }

    #[test]
    fn x86_64_code() {
        // push %rbp; je +2; mov $5, %eax; an invalid byte; cut off
        let code = [0x55, 0x74, 0x02, 0xb8, 5, 0, 0, 0, 0x06, 0xe8, 1];
        let texts = texts(Machine::X86_64, 0x100, &code);
        let words: Vec<_> = texts[0].0.split_whitespace().collect();
        assert_eq!(words, ["push", "%rbp"]);
        assert_eq!(texts[1].1, Some(0x105));
        assert!(texts[2].0.contains("%eax"), "{}", texts[2].0);
        assert!(texts[3].0.contains(".byte"), "{}", texts[3].0);
    }

    #[test]
    fn aarch64_code() {
        // ret; b +8; cbz x0, -4; udf; cut off
        let code = [
            0xc0, 0x03, 0x5f, 0xd6, 2, 0, 0, 0x14, 0xe0, 0xff, 0xff, 0xb4, 0, 0, 0, 0, 1, 2,
        ];
        let texts = texts(Machine::Aarch64, 0x100, &code);
        assert!(texts[0].0.starts_with("ret"), "{}", texts[0].0);
        assert_eq!(texts[1], ("b 0x10c".to_string(), Some(0x10c)));
        assert_eq!(texts[2], ("cbz x0, 0x104".to_string(), Some(0x104)));
        assert!(texts[4].0.contains("0x01, 0x02"), "{}", texts[4].0);
    }

    /// A file may hold anything, so whatever the bytes are, something is shown for all of them.
    #[test]
    fn any_bytes() {
        let mut state = 1u64;
        let mut bytes = vec![0; 1 << 16];
        for byte in &mut bytes {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            *byte = (state >> 56) as u8;
        }
        texts(Machine::X86_64, 0, &bytes);
        texts(Machine::Aarch64, 0, &bytes);
    }
}
