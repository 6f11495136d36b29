"""Reads the tensor files of a bAbI task and compares them with its texts, split into words as the Keras example
`babi_rnn.py` does it. Usage: babi.py FOLDER OUT.train OUT.test TASK..."""

import glob
import json
import re
import sys

import numpy

folder, train, test, *tasks = sys.argv[1:]


def words(sentence):
    return [word.strip() for word in re.split(r"(\W+)", sentence) if word.strip()]


def questions(path):
    rows, story = [], []
    for line in open(path, encoding="utf-8"):
        number, line = line.strip().split(" ", 1)
        if int(number) == 1:
            story = []
        if "\t" in line:
            question, answer, _ = line.split("\t")
            rows.append((list(story), words(question), answer.strip()))
        else:
            story += words(line)
    return rows


def load(path):
    if path.endswith(".h5"):
        import h5py

        file = h5py.File(path)
        return {name: file[name][()] for name in file}, json.loads(file.attrs["liaf"])
    file = numpy.load(path)
    return dict(file), json.loads(bytes(file["liaf"]))


rows = {
    split: [(int(task), row) for task in tasks for row in questions(glob.glob(f"{folder}/qa{task}_*_{split}.txt")[0])]
    for split in ("train", "test")
}
everything = rows["train"] + rows["test"]
vocabulary = sorted({word for _, (s, q, a) in everything for word in s + q + [a]})
index = {word: i + 1 for i, word in enumerate(vocabulary)}
longest = max(len(s) for _, (s, _, _) in everything), max(len(q) for _, (_, q, _) in everything)
for split, path in (("train", train), ("test", test)):
    tensors, about = load(path)
    assert about["dataset"]["vocabulary"] == [""] + vocabulary, split
    assert about["dataset"]["split"] == split
    assert all(tensors[name].dtype == numpy.int64 for name in ("story", "question", "answer", "lengths"))
    n = len(rows[split])
    assert tensors["story"].shape == (n, longest[0]), (tensors["story"].shape, longest)
    assert tensors["question"].shape == (n, longest[1])
    for i, (task, (story, question, answer)) in enumerate(rows[split]):
        for name, length, expected in (("story", "lengths", story), ("question", "question_lengths", question)):
            row = [index[word] for word in expected]
            assert tensors[length][i] == len(row), (split, i, name)
            assert tensors[name][i].tolist() == row + [0] * (tensors[name].shape[1] - len(row)), (split, i, name)
        assert tensors["answer"][i] == index[answer], (split, i)
        assert tensors["task"][i] == task, (split, i)
print(len(rows["train"]), len(rows["test"]), len(vocabulary), *longest)
