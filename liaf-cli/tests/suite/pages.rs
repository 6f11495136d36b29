//! The pages of the documents are true: their commands run, their programs in Python run, and their pictures are
//! what the program makes today.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::common::{fixture, fixtures};
use crate::judge;

fn docs() -> PathBuf {
    fixtures().join("../docs").canonicalize().unwrap()
}

/// Writes a file below a folder.
fn write(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// 4.6 s of one event each 2 ms, which go around a square.
fn events(number: usize) -> String {
    let mut text = "t,x,y,p\n".to_owned();
    for i in 0..2_300 {
        let (x, y) = [(i % 64, 5), (60, i % 48), (63 - i % 64, 40), (3, 47 - i % 48)][i / 64 % 4];
        writeln!(text, "{},{x},{y},{}", 2_000 * i, (i + number) % 2).unwrap();
    }
    text
}

/// The folders that the page names, as small as they can be.
fn miniatures(folder: &Path) {
    for (number, name) in ["box/1", "box/2", "mug/3", "mug/4"].iter().enumerate() {
        write(folder, &format!("recordings/{name}.csv"), events(number));
    }
    let labels = "file,class,start,end,split\n1.csv,wave,0s,1s,train\n1.csv,clap,1s,2s,train\n\
                  3.csv,clap,0s,1.5s,test\n4.csv,wave,0s,2s,test\n";
    write(folder, "labels.csv", labels);
    let copy = |name: &str, of: &str| write(folder, name, fs::read(fixture(of)).unwrap());
    let table = "class,startTime_usec,endTime_usec\n2,10000,110000\n1,150000,290000\n";
    for user in ["user01_lab", "user24_led"] {
        copy(&format!("DvsGesture/{user}.aedat"), "good/aedat3/dvs128.aedat");
        write(folder, &format!("DvsGesture/{user}_labels.csv"), table);
    }
    write(folder, "DvsGesture/trials_to_train.txt", "user01_lab.aedat\n");
    write(folder, "DvsGesture/trials_to_test.txt", "user24_led.aedat\n");
    for digit in 0..10 {
        for number in 1..=2 {
            let name = format!("scale16/mnist_{digit}_scale16_{number:04}.aedat");
            copy(&format!("MNIST-DVS/grabbed_data{digit}/{name}"), "good/aedat2/dvs128.aedat");
        }
        for split in ["Train", "Test"] {
            copy(&format!("N-MNIST/{split}/{digit}/00001.bin"), "good/atis_bin/nmnist.bin");
        }
    }
    let dat = [
        &b"% Data file containing CD events.\n% Version 2\n% Height 240\n% Width 304\n\0\x08"[..],
        &[[100_000_u32, 5 << 14 | 7], [200_000, 1 << 28 | 6 << 14 | 8]]
            .map(|[t, at]| [t.to_le_bytes(), at.to_le_bytes()].concat())
            .concat(),
    ];
    for split in ["train", "val", "test"] {
        write(folder, &format!("Gen1/{split}/1_td.dat"), dat.concat());
        write(folder, &format!("Gen1/{split}/1_bbox.npy"), one_box());
    }
    for split in ["train", "test"] {
        let story = "1 Mary went home.\n2 Where is Mary? \thome\t1\n";
        write(folder, &format!("tasks_1-20_v1-2/en/qa1_single-supporting-fact_{split}.txt"), story);
    }
}

/// An array of one box.
fn one_box() -> Vec<u8> {
    let descr = "[('ts','<u8'),('x','<f4'),('y','<f4'),('w','<f4'),('h','<f4'),('class_id','|u1')]";
    let text = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': (1,)}}\n");
    let mut bytes = b"\x93NUMPY\x01\0".to_vec();
    bytes.extend((text.len() as u16).to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes.extend(200_000_u64.to_le_bytes());
    [3_f32, 4.0, 20.0, 10.0].iter().for_each(|edge| bytes.extend(edge.to_le_bytes()));
    bytes.push(1);
    bytes
}

/// What a shell makes of a line, in which `liaf` is the program.
fn shell(line: &str, folder: &Path) -> Output {
    let bin = Path::new(env!("CARGO_BIN_EXE_liaf")).parent().unwrap();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::iter::once(bin.to_owned()).chain(std::env::split_paths(&path));
    let path = std::env::join_paths(paths).unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", line]).env("PATH", path).current_dir(folder).output().unwrap()
}

/// A module `torch` that is numpy: what the programs of the page use of it.
const TORCH: &str = "\
import types, sys, numpy
class Tensor(numpy.ndarray):
    def float(self):
        return self.astype('f4')
def from_numpy(array):
    assert array.flags.writeable and array.flags.c_contiguous, 'torch would warn'
    return array.view(Tensor)
torch = types.ModuleType('torch')
torch.from_numpy = from_numpy
torch.utils = types.SimpleNamespace(data=types.SimpleNamespace(Dataset=object))
sys.modules['torch'] = torch
";

/// What each of the programs must find, as h5py, numpy and safetensors themselves have it.
const CHECK: &str = "
import h5py, numpy, safetensors.numpy
def check(set, frames, labels, classes):
    assert len(set) == len(labels) > 0 and set.classes == classes, (len(set), set.classes)
    for i in range(len(set)):
        sample, label = set[i]
        assert sample.dtype == 'f4' and sample.shape == frames.shape[1:] and (sample == frames[i]).all()
        assert type(label) is int and label == labels[i]
    assert frames.any()
file = h5py.File('objects.train.h5')
check(H5Frames('objects.train.h5'), file['frames'][()], file['labels'][()], ['box', 'mug'])
file = numpy.load('actions.test.npz')
check(NpzFrames('actions.test.npz'), file['frames'], file['labels'], ['clap', 'wave'])
file = safetensors.numpy.load_file('mnist.train.safetensors')
digits = [str(digit) for digit in range(10)]
check(SafetensorsFrames('mnist.train.safetensors'), file['frames'], file['labels'], digits)
";

#[test]
fn the_commands_and_programs_of_the_page_on_data_sets_run() {
    let folder = tempfile::tempdir().unwrap();
    miniatures(folder.path());
    let page = fs::read_to_string(docs().join("datasets.md")).unwrap();
    let commands: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .filter(|l| l.starts_with("liaf "))
        .collect();
    assert!(commands.len() >= 6, "{commands:?}");
    // The other parts of the work are made elsewhere.
    let elsewhere = |command: &&str| match command.contains("--part 1/3") {
        true => ["1/3", "2/3", "3/3"].map(|part| command.replace("1/3", part)).to_vec(),
        false => vec![command.to_string()],
    };
    for command in commands.iter().flat_map(elsewhere) {
        let done = shell(&command, folder.path());
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{command}: {said}");
    }
    let Some(python) = judge::python("numpy, h5py, safetensors") else { return };
    let blocks = page.split("```python\n").skip(1).filter_map(|rest| rest.split("```").next());
    let programs: Vec<&str> = blocks.filter(|block| block.contains("import torch")).collect();
    assert_eq!(programs.len(), 3);
    for program in &programs {
        let class = program.split_once("class ").unwrap().1;
        let lines = class.lines().filter(|line| !line.is_empty()).count();
        assert!(lines <= 15, "{lines} lines: {class}");
    }
    let program = format!("{TORCH}\n{}\n{CHECK}", programs.join("\n"));
    let ran = Command::new(python).args(["-c", &program]).current_dir(&folder).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}

#[test]
fn the_pictures_of_the_representations_are_those_of_today() {
    let Some(python) = judge::python("numpy") else { return };
    let script = docs().join("representations/make.py");
    let liaf = env!("CARGO_BIN_EXE_liaf");
    let ran = Command::new(python).arg(script).args([liaf, "--check"]).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    // One for each of them, and each on the page.
    let page = fs::read_to_string(docs().join("representations.md")).unwrap();
    for representation in liaf::data::frames::REPRESENTATIONS {
        let name = representation.name;
        assert!(page.contains(&format!("(representations/{name}.png)")), "{name}");
        let size = fs::metadata(docs().join(format!("representations/{name}.png"))).unwrap().len();
        assert!(size <= 30_000, "{name}: {size} bytes");
    }
}
