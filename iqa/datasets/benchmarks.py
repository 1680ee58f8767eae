"""The eight benchmarks, each a declaration: where its table is, what it says, what to expect.

Adding a benchmark means adding one entry to `BENCHMARKS`; `iqa.datasets.reader` reads them all.
Counts and ranges in `Facts` were taken from the published tables.
"""

from dataclasses import replace

from iqa.datasets.declaration import (
    Archive,
    Benchmark,
    Repository,
    SplitTable,
    by_prompt,
    by_reference,
    by_subject_and_action,
    by_table,
    is_valid,
    read_biq2021,
    read_clive,
    read_sheet,
    read_text,
    without_folder,
)
from iqa.datasets.types import DatasetInfo, Facts

CLIVE = Benchmark(
    info=DatasetInfo(
        name="clive",
        title="CLIVE",
        score_kind="MOS",
        low=0.0,
        high=100.0,
        higher_is_better=True,
        group_rule="every image is its own, but near-duplicates (3 pairs) and 246.bmp and 333.bmp, "
        "the same bytes, share one",
        licence="free for any purpose with the copyright notice of UT Austin, cited",
        citation="Ghadiyaram, Bovik: Massive online crowdsourced study of subjective and "
        "objective picture quality. IEEE TIP 25(1), 2016, 10.1109/TIP.2015.2500021",
        expected_rows=1162,
        where="ask at https://live.ece.utexas.edu/research/ChallengeDB/ and unpack to "
        "$IQA_DATA/CLIVE/ChallengeDB_release (the 7 training examples t1 to t7 do not count)",
        ratings=175,  # README.txt in its archive: 350,000 ratings, 175 an image on average
    ),
    facts=Facts(low=3.42, high=92.43, groups=1158, identical=(frozenset({"246.bmp", "333.bmp"}),)),
    folders=("CLIVE/ChallengeDB_release", "ChallengeDB_release", "CLIVE"),
    tables=("Data/AllImages_release.mat",),
    images=("Images",),
    read=read_clive,
    image=("image",),
    score=("MOS",),
    table_rows=1169,
    deviation="std",
    leave_out=tuple(f"t{i}.bmp" for i in range(1, 8)),
)

# On the official page, https://database.mmsp-kn.de/koniq-10k-database.html, as its author lists
# them in https://github.com/subpic/koniq/issues/5; 512x384 in koncept512_train_test_py3.ipynb of
# that repository, which unpacks to a folder of that name.
KONSTANZ = "https://datasets.vqa.mmsp-kn.de/archives"

# In the authors' repository, https://github.com/subpic/koniq.
KONIQ_SETS = SplitTable(
    file="koniq10k_distributions_sets.csv",
    address="https://raw.githubusercontent.com/subpic/koniq/master/metadata/"
    "koniq10k_distributions_sets.csv",
    image="image_name",
    side="set",
)


def koniq_archives(size: str) -> tuple[Archive, ...]:
    """The published files for the images of one size."""
    scores = "koniq10k_scores_and_distributions"
    return (
        Archive(KONIQ_SETS.address, f"KonIQ-10k/{KONIQ_SETS.file}"),
        Archive(f"{KONSTANZ}/{scores}.zip", f"KonIQ-10k/{scores}.csv"),
        Archive(f"{KONSTANZ}/koniq10k_{size}.zip", f"KonIQ-10k/{size}"),
    )


KONIQ = Benchmark(
    info=DatasetInfo(
        name="koniq10k",
        title="KonIQ-10k",
        score_kind="MOS",
        low=0.0,
        high=100.0,
        higher_is_better=True,
        group_rule="every image is its own",
        licence="free to the research community, no formal licence; photographs of YFCC100M",
        citation="Hosu, Lin, Sziranyi, Saupe: KonIQ-10k: an ecologically valid database for deep "
        "learning of blind image quality assessment. IEEE TIP 29, 2020, 10.1109/TIP.2020.2967829",
        expected_rows=10073,
        where="`iqa datasets fetch koniq10k` gets it (1024x768), or take it from "
        "https://database.mmsp-kn.de/koniq-10k-database.html and unpack to $IQA_DATA/KonIQ-10k "
        "(1024x768 is used where it is there, else 512x384; scores are MOS_zscore, since MOS "
        "holds 1 to 5)",
    ),
    facts=Facts(low=3.91, high=88.39, groups=10073, split=(7058, 1000, 2015)),
    folders=("KonIQ-10k", "koniq10k", "koniq-10k"),
    tables=(
        "koniq10k_scores.csv",
        "koniq10k_scores/koniq10k_scores.csv",
        "koniq10k_scores_and_distributions.csv",
        "koniq10k_scores_and_distributions/koniq10k_scores_and_distributions.csv",
    ),
    images=(
        "1024x768",
        "koniq10k_1024x768/1024x768",
        "koniq10k_1024x768",
        "512x384",
        "koniq10k_512x384/512x384",
        "koniq10k_512x384",
    ),
    read=read_text,
    image=("image_name",),
    score=("MOS_zscore",),
    table_rows=10073,
    split_table=KONIQ_SETS,
    extra=("MOS",),
    archives=koniq_archives("1024x768"),
)

KONIQ_512 = replace(
    KONIQ,
    info=replace(
        KONIQ.info,
        name="koniq10k/512x384",
        title="KonIQ-10k at 512x384",
        where="`iqa datasets fetch koniq10k/512x384` gets it, or take it from "
        "https://database.mmsp-kn.de/koniq-10k-database.html and unpack to $IQA_DATA/KonIQ-10k "
        "(the ratings are those of koniq10k)",
    ),
    images=tuple(folder for folder in KONIQ.images if "512x384" in folder),
    archives=koniq_archives("512x384"),
)

FLIVE = Benchmark(
    info=DatasetInfo(
        name="flive",
        title="FLIVE",
        score_kind="MOS",
        low=0.0,
        high=100.0,
        higher_is_better=True,
        group_rule="every image is its own",
        licence="none stated; images of AVA, VOC 2012, EMOTIC and a blur set under their own terms",
        citation="Ying, Niu, Gupta, Mahajan, Ghadiyaram, Bovik: From patches to pictures "
        "(PaQ-2-PiQ): mapping the perceptual space of picture quality. CVPR 2020, arXiv 1912.10088",
        expected_rows=39810,
        where="follow https://github.com/niu-haoran/FLIVE_Database and put labels_image.csv and "
        "the folder database to $IQA_DATA/FLIVE",
    ),
    facts=Facts(low=0.0, high=94.33, groups=39810),
    folders=("FLIVE", "flive"),
    tables=("labels_image.csv",),
    images=("database", "images", "."),
    read=read_text,
    image=("name",),
    score=("mos",),
    table_rows=39810,
    split_column=("is_valid", is_valid),
)

SPAQ = Benchmark(
    info=DatasetInfo(
        name="spaq",
        title="SPAQ",
        score_kind="MOS",
        low=0.0,
        high=100.0,
        higher_is_better=True,
        group_rule="every image is its own",
        licence="education and research with the copyright notice; commercial use by permission "
        "(Readme.txt in its archive)",
        citation="Fang, Zhu, Zeng, Ma, Wang: Perceptual quality assessment of smartphone "
        "photography. CVPR 2020, pp. 3677-3686",
        expected_rows=11125,
        where="follow https://github.com/h4nwei/SPAQ and unpack Annotations and TestImage to "
        "$IQA_DATA/SPAQ",
    ),
    facts=Facts(low=2.0, high=96.0, groups=11125),
    folders=("SPAQ", "spaq"),
    tables=(
        "Annotations/MOS and Image attribute scores.xlsx",
        "MOS and Image attribute scores.xlsx",
    ),
    images=("TestImage", "Test Images"),
    read=read_sheet,
    image=("Image name",),
    score=("MOS",),
    table_rows=11125,
)

# Found by hashing the published files: most are pairs of prompts that were given one image.
AGIQA_3K_IDENTICAL = (
    frozenset({"DALLE2_normal_253.jpg", "glide_normal_101.jpg", "glide_normal_263.jpg"}),
    *(
        frozenset(f"midjourney_normal_{number}.jpg" for number in pair)
        for pair in (
            ("072", "094"),
            ("120", "185"),
            ("131", "161"),
            ("141", "186"),
            ("217", "289"),
            ("231", "250"),
            ("240", "298"),
            ("269", "285"),
        )
    ),
)

AGIQA_3K = Benchmark(
    info=DatasetInfo(
        name="agiqa3k",
        title="AGIQA-3K",
        score_kind="MOS",
        low=0.0,
        high=5.0,
        higher_is_better=True,
        group_rule="the prompt, shared by 7 to 10 images; 19 prompts that were given the same "
        "bytes form 9 groups, 5 that AttnGAN gave near-duplicates form 2",
        licence="MIT",
        citation="Li et al.: AGIQA-3K. IEEE TCSVT 34(8), 2024, arXiv 2306.04717",
        expected_rows=2982,
        where="follow https://github.com/lcysyzxdxc/AGIQA-3k-Database and put data.csv and the "
        "folder images to $IQA_DATA/AGIQA-3K",
        ratings=21,  # its paper: each of 21 people rated every image
    ),
    facts=Facts(low=0.0, high=4.49, groups=287, identical=AGIQA_3K_IDENTICAL),
    folders=("AGIQA-3K", "agiqa-3k", "AGIQA3K"),
    tables=("data.csv",),
    images=("images", "AGIQA-3K", "."),
    read=read_text,
    image=("name",),
    score=("mos_quality",),
    table_rows=2982,
    deviation="std_quality",
    group=by_prompt,
)

AGIQA_1K = Benchmark(
    info=DatasetInfo(
        name="agiqa1k",
        title="AGIQA-1K",
        score_kind="MOS",
        low=0.0,
        high=5.0,
        higher_is_better=True,
        group_rule="subject and action of the prompt, shared by 4 to 8 images",
        licence="MIT",
        citation="Zhang et al.: A perceptual quality assessment exploration for AIGC images. "
        "arXiv 2303.12618",
        expected_rows=1078,
        where="follow https://github.com/lcysyzxdxc/AGIQA-1k-Database and put "
        "AIGC_MOS_Zscore.xlsx and the folder file to $IQA_DATA/AGIQA-1K (its table names "
        "dreamStudio_8_9_1_1.jpg twice, with MOS 0.44 and 2.08: both rows of 1080 are left out)",
    ),
    facts=Facts(low=0.0, high=5.0, groups=180),
    folders=("AGIQA-1K", "agiqa-1k", "AGIQA1K"),
    tables=("AIGC_MOS_Zscore.xlsx",),
    images=("file", "images", "."),
    read=read_sheet,
    image=("Image",),
    score=("MOS",),
    table_rows=1080,
    group=by_subject_and_action,
    leave_out=("dreamStudio_8_9_1_1.jpg",),
)

KADID = Benchmark(
    info=DatasetInfo(
        name="kadid10k",
        title="KADID-10k",
        score_kind="DMOS",
        low=1.0,
        high=5.0,
        higher_is_better=True,
        group_rule="the reference that 125 versions were made from",
        licence="free to the research community, no formal licence; photographs of Pixabay",
        citation="Lin, Hosu, Saupe: KADID-10k: a large-scale artificially distorted IQA database. "
        "QoMEX 2019, 10.1109/QoMEX.2019.8743252",
        expected_rows=10125,
        where="`iqa datasets fetch kadid10k` gets it, or take kadid10k.zip from "
        "https://database.mmsp-kn.de/kadid-10k-database.html and unpack to $IQA_DATA/kadid10k "
        "(its DMOS rises with quality)",
    ),
    facts=Facts(low=1.0, high=4.93, groups=81),
    folders=("kadid10k", "KADID-10k", "KADID10K"),
    tables=("dmos.csv", "KADID-10k.txt"),
    images=("images",),
    read=read_text,
    image=("dist_img", "dis_img_path"),
    score=("dmos", "score"),
    table_rows=10125,
    name=without_folder,
    group=by_reference,
    # Linked on the official page, https://database.mmsp-kn.de/kadid-10k-database.html, and named in
    # the benchmark script of https://github.com/photosynthesis-team/piq; it unpacks to a folder
    # `kadid10k` with dmos.csv and images.
    archives=(Archive(f"{KONSTANZ}/kadid10k.zip", "kadid10k"),),
)

BIQ2021 = Benchmark(
    info=DatasetInfo(
        name="biq2021",
        title="BIQ2021",
        score_kind="MOS",
        low=0.0,
        high=1.0,
        higher_is_better=True,
        group_rule="every image is its own, but near-duplicates (2,364 pairs) share one",
        licence="none stated by its owner; 8,000 of the photographs (ss03) are of Unsplash under "
        "its terms, 4,000 are the owner's",
        citation="Ahmed, Asif: BIQ2021: a large-scale blind image quality assessment database. "
        "Journal of Electronic Imaging 31(5), 2022, 10.1117/1.JEI.31.5.053010",
        expected_rows=12000,
        where="`iqa datasets fetch biq2021` clones https://github.com/nisarahmedrana/BIQ2021 "
        "(428 MB) to $IQA_DATA/BIQ2021",
    ),
    facts=Facts(low=0.0, high=1.0, groups=10595, split=(10000, 0, 2000)),
    folders=("BIQ2021", "biq2021"),
    tables=("Train (Images and MOS).csv",),
    images=("Images",),
    read=read_biq2021,
    image=("Image Name",),
    score=("MOS",),
    table_rows=12000,
    split_column=("split", by_table),
    archives=(Repository("https://github.com/nisarahmedrana/BIQ2021", "BIQ2021"),),
)

BENCHMARKS = (CLIVE, KONIQ, KONIQ_512, FLIVE, SPAQ, AGIQA_3K, AGIQA_1K, KADID, BIQ2021)
