//! The stack machine that a pickle is a program of. Values lie in one list and name each other by their places in it, so
//! that nothing here goes deeper the deeper they are nested.

use std::collections::HashMap;
use std::ops::Range;

/// A value's place among all.
pub type Id = usize;

/// A value. Strings and bytes are ranges of the file.
#[derive(Debug)]
pub enum Value {
    /// Something that nobody asks for, such as `None` or a float.
    Other,
    /// A whole number; `True` and `False` are 1 and 0.
    Number(i64),
    /// A string or bytes.
    Bytes(Range<usize>),
    /// A list or a tuple.
    Items(Vec<Id>),
    /// A dictionary.
    Dict(Vec<(Id, Id)>),
    /// The name of a function or a class, without its module.
    Global(Range<usize>),
    /// What a call makes, and the state that is set then.
    Object {
        callable: Id,
        arguments: Id,
        state: Option<Id>,
    },
}

/// The most values. A batch of 10,000 images has 30,000.
const MOST: usize = 4_000_000;

/// Runs a pickle. Returns its values, and which of them is the whole.
///
/// # Errors
/// In words, without the path.
pub fn run(bytes: &[u8]) -> Result<(Vec<Value>, Id), String> {
    let mut machine = Machine {
        bytes,
        at: 0,
        values: Vec::new(),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
        held: 0,
    };
    loop {
        let code = machine.byte()?;
        if code == b'.' {
            let top = machine.pop()?;
            return Ok((machine.values, top));
        }
        machine.step(code)?;
        // The stack, the memo and all lists hold a number for each.
        let sizes = [
            machine.values.len(),
            machine.stack.len(),
            machine.memo.len(),
            machine.held,
        ];
        if sizes.into_iter().any(|size| size > MOST) {
            return Err(format!("more than {MOST} values"));
        }
    }
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    values: Vec<Value>,
    stack: Vec<Id>,
    /// Heights of the stack.
    marks: Vec<usize>,
    memo: HashMap<u64, Id>,
    /// The items of all lists, tuples and dictionaries: each value may be in many.
    held: usize,
}

impl Machine<'_> {
    fn step(&mut self, code: u8) -> Result<(), String> {
        match code {
            // Protocol and frames say nothing that is not seen.
            0x80 => self.skip(1)?,
            0x95 => self.skip(8)?,
            b'(' => {
                if self.marks.len() == MOST {
                    return Err("too many marks".into());
                }
                self.marks.push(self.stack.len());
            }
            b'0' => drop(self.pop()?),
            b'1' => drop(self.pop_mark()?),
            b'N' => self.push(Value::Other),
            0x88 => self.push(Value::Number(1)),
            0x89 => self.push(Value::Number(0)),
            b'K' => self.push_number(1)?,
            b'M' => self.push_number(2)?,
            b'J' => {
                let number = self.number(4)? as u32 as i32;
                self.push(Value::Number(number.into()));
            }
            0x8a => {
                let size = self.number(1)?;
                self.push_long(size)?;
            }
            b'G' => {
                self.skip(8)?;
                self.push(Value::Other);
            }
            b'U' | b'C' | 0x8c => self.push_bytes(1)?,
            b'T' | b'B' | b'X' => self.push_bytes(4)?,
            0x8d | 0x8e | 0x96 => self.push_bytes(8)?,
            b'}' => self.push(Value::Dict(vec![])),
            b']' | b')' => self.push(Value::Items(vec![])),
            b't' => {
                let items = self.pop_mark()?;
                self.held += items.len();
                self.push(Value::Items(items));
            }
            0x85..=0x87 => {
                let first = self.stack.len().checked_sub(usize::from(code - 0x84));
                let items = self.stack.split_off(first.ok_or_else(underflow)?);
                self.held += items.len();
                self.push(Value::Items(items));
            }
            b'a' => {
                let item = self.pop()?;
                self.extend(vec![item])?;
            }
            b'e' => {
                let items = self.pop_mark()?;
                self.extend(items)?;
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.set(&[key, value])?;
            }
            b'u' => {
                let items = self.pop_mark()?;
                self.set(&items)?;
            }
            b'q' => self.put(1)?,
            b'r' => self.put(4)?,
            0x94 => {
                let top = self.top()?;
                self.memo.insert(self.memo.len() as u64, top);
            }
            b'h' => self.get(1)?,
            b'j' => self.get(4)?,
            b'c' => {
                self.line()?;
                let name = self.line()?;
                self.push(Value::Global(name));
            }
            0x93 => {
                let (name, _module) = (self.pop()?, self.pop()?);
                match &self.values[name] {
                    Value::Bytes(name) => self.push(Value::Global(name.clone())),
                    _ => return Err("a name that is no string".into()),
                }
            }
            b'R' | 0x81 => {
                let (arguments, callable) = (self.pop()?, self.pop()?);
                self.push(Value::Object {
                    callable,
                    arguments,
                    state: None,
                });
            }
            b'b' => {
                let new = self.pop()?;
                let top = self.top()?;
                match &mut self.values[top] {
                    Value::Object { state, .. } => *state = Some(new),
                    _ => return Err("a state of no object".into()),
                }
            }
            code => {
                return Err(format!(
                    "the code {code:#04x} at byte {}, which is not read",
                    self.at - 1
                ));
            }
        }
        Ok(())
    }

    fn take(&mut self, count: usize) -> Result<Range<usize>, String> {
        let end = self.at.checked_add(count).filter(|&end| end <= self.bytes.len());
        let range = self.at..end.ok_or("it ends in the middle")?;
        self.at = range.end;
        Ok(range)
    }

    fn skip(&mut self, count: usize) -> Result<(), String> {
        self.take(count).map(|_| ())
    }

    fn byte(&mut self) -> Result<u8, String> {
        let range = self.take(1)?;
        Ok(self.bytes[range.start])
    }

    /// A number of so many bytes, the lowest first; no more than eight.
    fn number(&mut self, size: usize) -> Result<u64, String> {
        let range = self.take(size)?;
        let bytes = self.bytes[range].iter().rev();
        Ok(bytes.fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }

    /// The rest of a line.
    fn line(&mut self) -> Result<Range<usize>, String> {
        let length = self.bytes[self.at..].iter().position(|&byte| byte == b'\n');
        let line = self.take(length.ok_or("it ends in the middle")?)?;
        self.skip(1)?;
        Ok(line)
    }

    fn push(&mut self, value: Value) {
        self.stack.push(self.values.len());
        self.values.push(value);
    }

    fn push_number(&mut self, size: usize) -> Result<(), String> {
        let number = self.number(size)?;
        self.push(Value::Number(number as i64));
        Ok(())
    }

    /// A number of any size, of which those that fit are kept.
    fn push_long(&mut self, size: u64) -> Result<(), String> {
        let value = match size {
            0 => Value::Number(0),
            1..=8 => {
                let shift = 64 - 8 * size as u32;
                Value::Number((self.number(size as usize)? << shift) as i64 >> shift)
            }
            _ => {
                self.skip(size as usize)?;
                Value::Other
            }
        };
        self.push(value);
        Ok(())
    }

    fn push_bytes(&mut self, size: usize) -> Result<(), String> {
        let length = usize::try_from(self.number(size)?).map_err(|_| "it ends in the middle")?;
        let range = self.take(length)?;
        self.push(Value::Bytes(range));
        Ok(())
    }

    fn pop(&mut self) -> Result<Id, String> {
        self.stack.pop().ok_or_else(underflow)
    }

    fn top(&self) -> Result<Id, String> {
        self.stack.last().copied().ok_or_else(underflow)
    }

    fn pop_mark(&mut self) -> Result<Vec<Id>, String> {
        let mark = self.marks.pop().filter(|&mark| mark <= self.stack.len());
        Ok(self.stack.split_off(mark.ok_or_else(underflow)?))
    }

    fn extend(&mut self, more: Vec<Id>) -> Result<(), String> {
        let top = self.top()?;
        self.held += more.len();
        match &mut self.values[top] {
            Value::Items(items) => {
                items.extend(more);
                Ok(())
            }
            _ => Err("items of no list".into()),
        }
    }

    fn set(&mut self, items: &[Id]) -> Result<(), String> {
        let top = self.top()?;
        self.held += items.len();
        match (&mut self.values[top], items.as_chunks()) {
            (Value::Dict(entries), (pairs, [])) => {
                entries.extend(pairs.iter().map(|&[key, value]| (key, value)));
                Ok(())
            }
            _ => Err("entries of no dictionary".into()),
        }
    }

    fn put(&mut self, size: usize) -> Result<(), String> {
        let (key, top) = (self.number(size)?, self.top()?);
        self.memo.insert(key, top);
        Ok(())
    }

    fn get(&mut self, size: usize) -> Result<(), String> {
        let key = self.number(size)?;
        let id = self.memo.get(&key).ok_or("a value that it has not put away")?;
        self.stack.push(*id);
        Ok(())
    }
}

fn underflow() -> String {
    "it takes a value that is not there".into()
}
